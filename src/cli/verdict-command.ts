/**
 * `lasthop verdict` and `lasthop verify`: the same analysis and the same report; verify also judges it by its exit status.
 * In: hop=FILE arguments and options. Out: the report, and a status.
 */
import { renderVerdict } from '../report/render.js';
import type { AnalyseOptions } from './engine.js';
import { ExitStatus, judged } from './exit-status.js';
import { hopInputs, pathOption } from './inputs.js';
import { keyLogOptions } from './key-logs.js';
import { letGo } from './let-go.js';
import { type RawOptions, type VerdictOptions, verdictOptions } from './options.js';
import { refuseToOverwrite } from './output.js';
import { reportOptions, type Session, withOutput, writeAll } from './session.js';

export async function verdictCommand(session: Session, words: string[], raw: RawOptions): Promise<number> {
  const options = await verdictOptions(raw);
  if (options.explain === null) await report(session, words, options);
  else await explain(session, words, options, options.explain);
  return ExitStatus.ok;
}

async function explain(session: Session, words: string[], options: VerdictOptions, id: string): Promise<void> {
  const { hops, files, asked } = question(session, words, options);
  const story = await session.engine.explain(hops, asked, id);
  session.messages.erase();
  const pieces =
    options.format === 'json'
      ? (await import('../report/story-json.js')).storyJson(story)
      : (await import('../report/story-table.js')).storyTable(story, reportOptions(session, options));
  await withOutput(session, options.output, files, (output) => writeAll(output, pieces));
}

export async function verifyCommand(session: Session, words: string[], raw: RawOptions): Promise<number> {
  const options = await verdictOptions(raw);
  const verdict = await report(session, words, options);
  const { status, why } = judged(verdict.summary, options.allowEmpty);
  session.messages.line(`${why}; exit status ${status}`);
  return status;
}

/** What is asked of the engine, checked before the analysis, which may take minutes. */
function question(session: Session, words: string[], options: VerdictOptions) {
  const hops = hopInputs(words);
  const files = hops.flatMap((hop) => hop.files);
  const keyLogs = keyLogOptions(options.keyLogs, hops, session.messages.warn);
  // Before the analysis, which may take minutes.
  if (options.output !== null) refuseToOverwrite(options.output, files);
  const asked: AnalyseOptions = {
    ackTimeoutMs: options.ackTimeoutMs,
    profile: options.profile,
    keyLogs,
    commandIds: options.commandIds,
    agents: options.agents,
    since: options.since,
    until: options.until,
    onProgress: session.messages.progress,
    onHopRead: letGo,
    warn: session.messages.warn,
  };
  if (options.latency) asked.latency = true;
  if (options.path !== null) asked.path = pathOption(options.path, hops);
  return { hops, files, asked };
}

async function report(session: Session, words: string[], options: VerdictOptions) {
  const { hops, files, asked } = question(session, words, options);
  const verdict = await session.engine.analyse(hops, asked);
  session.messages.erase();
  const pieces = await renderVerdict(options.format, verdict, reportOptions(session, options));
  await withOutput(session, options.output, files, (output) => writeAll(output, pieces));
  return verdict;
}
