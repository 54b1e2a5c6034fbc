/**
 * The formats of `lasthop quality`. In: nothing. Out: cli/ checks against them without loading the report.
 */
export const QUALITY_FORMATS = ['table', 'json', 'ndjson'] as const;
export type QualityFormat = (typeof QUALITY_FORMATS)[number];
