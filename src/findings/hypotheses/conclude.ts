/**
 * The hypotheses of INCIDENT.md for each failing agent, in the order in which the operators argued. In: facts and findings.
 * Out: Hypothesis[], for the verdict. Proxies have one each: `proxy-forwarding:nginx`.
 */

import type { Hypothesis } from '../../delivery/verdict.js';
import type { Facts } from '../facts.js';
import type { Found } from '../found.js';
import { agentCases } from './agent-case.js';
import { agentCommandPath } from './agent-command-path.js';
import { agentReceiveLoop } from './agent-receive-loop.js';
import { independentFaults } from './independent-faults.js';
import { middlebox } from './middlebox.js';
import { networkPath } from './network-path.js';
import { originWritePath } from './origin-write-path.js';
import { pathMtu } from './path-mtu.js';
import { protocolDesync } from './protocol-desync.js';
import { proxyForwarding } from './proxy-forwarding.js';
import { returnPathNat } from './return-path-nat.js';
import {
  answeredAll,
  beyondWindow,
  type Conclusion,
  isFound,
  neverPastLast,
  notConnected,
  ownConnectionStuck,
  type Question,
  unlessMoreEnded,
  unlessMoreWentOn,
} from './rule.js';
import { splitConnection } from './split-connection.js';
import { staleConnection } from './stale-connection.js';

const BEFORE_PROXIES: readonly [string, (question: Question) => Conclusion][] = [
  ['origin-write-path', originWritePath],
];
const AFTER_PROXIES: readonly [string, (question: Question) => Conclusion][] = [
  ['network-path', networkPath],
  ['path-mtu', pathMtu],
  ['return-path-nat', returnPathNat],
  ['middlebox', middlebox],
  ['agent-receive-loop', agentReceiveLoop],
  ['agent-command-path', agentCommandPath],
  ['stale-connection', staleConnection],
  ['split-connection', splitConnection],
  ['protocol-desync', protocolDesync],
  ['independent-faults', independentFaults],
];

/** Of these nothing is said by commands of an agent that was not connected. */
const ASKS_FOR_CONNECTION: ReadonlySet<string> = new Set([
  'network-path',
  'path-mtu',
  'middlebox',
  'agent-receive-loop',
  'stale-connection',
  'split-connection',
  'protocol-desync',
]);

const PAST_WINDOW: ReadonlySet<string> = new Set([
  'network-path',
  'path-mtu',
  'middlebox',
  'agent-receive-loop',
  'agent-command-path',
  'stale-connection',
  'protocol-desync',
]);

/** Where the server's own dispatch waits for the agent's connection, what holds that up lies behind it. */
const STUCK_ON: ReadonlySet<string> = new Set(['path-mtu', 'middlebox', 'agent-receive-loop', 'agent-command-path']);

/** What an answer of the agent rules out; and the way back too, where the end of the connection further in explains its loss. */
const AGENTS_PART: ReadonlySet<string> = new Set([
  'middlebox',
  'agent-receive-loop',
  'agent-command-path',
  'protocol-desync',
]);
const WAYS: ReadonlySet<string> = new Set(['network-path', 'path-mtu']);

/** What a failure that ended at an unknown place before the last hop may be, whatever the proven ones are. */
const MAY_HAVE_ENDED_IT: ReadonlySet<string> = new Set([
  'network-path',
  'path-mtu',
  'stale-connection',
  'independent-faults',
]);

/** What lies past the last hop; that the agent reads, Pings tell. */
const PAST_LAST: ReadonlySet<string> = new Set(['middlebox', 'agent-command-path']);

export function conclude(facts: Facts, found: Found): Hypothesis[] {
  const all = agentCases(facts, found);
  return all.flatMap((each) => {
    const question: Question = { facts, found, each, all };
    const { agent } = each;
    const concluded = conclusions(question);
    const said = (rules: typeof AFTER_PROXIES) => rules.map(([id, rule]) => ({ id, agent, ...concluded(id, rule) }));
    const unconnected = notConnected(question);
    const window = beyondWindow(question);
    const proxies = facts.views.slice(1).map((view) => ({
      id: `proxy-forwarding:${view.name}`,
      agent,
      ...(unconnected ??
        (window !== null && view.index >= window.from
          ? window.conclusion
          : unlessMoreEnded(question, proxyForwarding(question, view.index)))),
    }));
    return [...said(BEFORE_PROXIES), ...proxies, ...said(AFTER_PROXIES)];
  });
}

/** What holds for several hypotheses alike is asked once; each has its own rule for the rest. */
function conclusions(question: Question): (id: string, rule: (question: Question) => Conclusion) => Conclusion {
  const unconnected = notConnected(question);
  const stuck = ownConnectionStuck(question);
  const window = beyondWindow(question);
  const neverPast = neverPastLast(question);
  const answered = answeredAll(question);
  const restarted = isFound(question, 'origin-restarted');
  return (id, rule) => {
    if (unconnected !== null && ASKS_FOR_CONNECTION.has(id)) return unconnected;
    if (stuck !== null && STUCK_ON.has(id)) return stuck;
    if (window !== null && PAST_WINDOW.has(id)) return window.conclusion;
    if (neverPast !== null && AGENTS_PART.has(id)) return neverPast;
    if (answered !== null && (AGENTS_PART.has(id) || (restarted && WAYS.has(id)))) return answered;
    const conclusion = rule(question);
    if (MAY_HAVE_ENDED_IT.has(id)) return unlessMoreEnded(question, conclusion);
    return PAST_LAST.has(id) ? unlessMoreWentOn(question, conclusion) : conclusion;
  };
}
