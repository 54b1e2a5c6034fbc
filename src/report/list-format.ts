/**
 * The formats of lists (frames, connections). In: nothing. Out: cli/ checks against them without loading the lists.
 */
export const LIST_FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];
