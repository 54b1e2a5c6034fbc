/**
 * The verdict as JUnit XML, for build servers: one test case for each command, the agent as its class. In: Verdict.
 * Out: pieces of text. Not delivered is a failure; inconclusive is an error, as a test that could not be carried out is.
 */
import { OUTCOMES, type Verdict } from '../delivery/verdict.js';
import { citedPackets } from './figures.js';
import { markup } from './printable.js';
import { causesOf, decisive, lostWords, meaning, standing } from './reading.js';
import { listed } from './select.js';

export function* verdictJunit(verdict: Verdict, options: { failedOnly: boolean }): Generator<string> {
  const { byOutcome } = verdict.summary;
  const delivered = options.failedOnly ? 0 : (byOutcome.delivered ?? 0);
  const errors = byOutcome.inconclusive ?? 0;
  const failures = OUTCOMES.filter((one) => standing(one) === 'failed').reduce(
    (sum, one) => sum + (byOutcome[one] ?? 0),
    0,
  );
  const counts = `tests="${delivered + failures + errors}" failures="${failures}" errors="${errors}"`;
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="lasthop" ${counts}>\n`;
  yield `  <testsuite name="lasthop verdict" ${counts} skipped="0">\n`;
  for (const command of listed(verdict, options.failedOnly)) {
    const attempt = decisive(command);
    const ms = attempt?.commandAck?.afterMs ?? attempt?.result?.afterMs ?? null;
    const time = ms === null ? '' : ` time="${(ms / 1000).toFixed(6)}"`;
    const test = `    <testcase classname="${markup(command.agent ?? '(agent unknown)')}" name="${markup(command.id)}"${time}`;
    const kind = standing(command.outcome);
    if (kind === 'delivered') {
      yield `${test}/>\n`;
      continue;
    }
    const tag = kind === 'failed' ? 'failure' : 'error';
    const message = `${command.outcome}${command.lostAt === null ? '' : ` ${lostWords(command.lostAt)}`}: ${command.reason}`;
    const proof = (attempt?.hops ?? []).map((state) => {
      const packets = state.packets.map((one) => `${one.file} ${citedPackets(one)}`).join('; ');
      return `${state.hop}: ${state.state} ${packets || (state.reason ?? '')}`.trimEnd();
    });
    yield `${test}>\n      <${tag} type="${command.outcome}" message="${markup(message, 1000)}">`;
    yield `${[meaning(command, causesOf(verdict.findings, command)), ...proof].map((line) => markup(line, 1000)).join('\n')}</${tag}>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n</testsuites>\n';
}
