/**
 * Which format is made by which file. In: a format's name and a Verdict. Out: the pieces of text, for cli/ to write.
 * Each format is loaded when it is asked for: a script that wants JSON does not wait for the table's packages.
 */
import type { Verdict } from '../delivery/verdict.js';
import type { ReportOptions } from './style.js';

export const VERDICT_FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown', 'html', 'junit'] as const;
export type VerdictFormat = (typeof VERDICT_FORMATS)[number];

const WRITERS: Record<VerdictFormat, () => Promise<(verdict: Verdict, options: ReportOptions) => Iterable<string>>> = {
  table: async () => (await import('./table.js')).verdictTable,
  json: async () => (await import('./json.js')).verdictJson,
  ndjson: async () => (await import('./json.js')).verdictNdjson,
  csv: async () => (await import('./csv.js')).verdictCsv,
  markdown: async () => (await import('./markdown.js')).verdictMarkdown,
  html: async () => (await import('./html.js')).verdictHtml,
  junit: async () => (await import('./junit.js')).verdictJunit,
};

export async function renderVerdict(
  format: VerdictFormat,
  verdict: Verdict,
  options: ReportOptions,
): Promise<Iterable<string>> {
  const write = await WRITERS[format]();
  return write(verdict, options);
}
