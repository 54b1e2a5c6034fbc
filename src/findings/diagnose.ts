/**
 * Goes through the rules in the order of cause and consequence: what an earlier one explains a later one leaves alone.
 * In: facts of the case. Out: findings and hypotheses, for the verdict.
 */

import type { Verdict } from '../delivery/verdict.js';
import { agentAnswersNothing } from './agent-answers-nothing.js';
import { agentIgnoresCommands } from './agent-ignores-commands.js';
import { agentUnresponsive } from './agent-unresponsive.js';
import { agentReports } from './agents.js';
import { captureUntrusted } from './capture-untrusted.js';
import { changedAfter } from './changed-after.js';
import { closeReports } from './closes.js';
import { commandsNotSent } from './commands-not-sent.js';
import { dispatchStalled } from './dispatch-stalled.js';
import { distinctFailures } from './distinct-failures.js';
import type { Facts } from './facts.js';
import { Found, type Rule } from './found.js';
import { handshakeStalled } from './handshake-stalled.js';
import { hopDropsFrames } from './hop-drops-frames.js';
import { hopDropsText } from './hop-drops-text.js';
import { conclude } from './hypotheses/conclude.js';
import { idleTimeout } from './idle-timeout.js';
import { inwardUnreachable } from './inward-unreachable.js';
import { largeFramesLost } from './large-frames-lost.js';
import { middleboxAcks } from './middlebox-acks.js';
import { originRestarted } from './origin-restarted.js';
import { peerUnreachable } from './peer-unreachable.js';
import { protocolDesync } from './protocol-desync.js';
import { receiverWindowClosed } from './receiver-window-closed.js';
import { replyAddressMismatch } from './reply-address-mismatch.js';
import { splitConnection } from './split-connection.js';
import { survivesReconnect } from './survives-reconnect.js';
import { unreadLegs } from './unread-legs.js';
import { writeStalled } from './write-stalled.js';

const RULES: readonly Rule[] = [
  // What ended or replaced whole connections.
  originRestarted,
  splitConnection,
  // What TCP itself shows.
  replyAddressMismatch,
  receiverWindowClosed,
  largeFramesLost,
  peerUnreachable,
  inwardUnreachable,
  unreadLegs,
  // What hops do with messages.
  writeStalled,
  hopDropsFrames,
  hopDropsText,
  protocolDesync,
  // What the agent does with them.
  middleboxAcks,
  agentUnresponsive,
  agentAnswersNothing,
  agentIgnoresCommands,
  // What never became a message.
  handshakeStalled,
  dispatchStalled,
  commandsNotSent,
  idleTimeout,
  // What these have in common, and what cannot be said.
  survivesReconnect,
  changedAfter,
  distinctFailures,
  captureUntrusted,
];

export function diagnose(facts: Facts): Pick<Verdict, 'findings' | 'hypotheses' | 'agents' | 'closes'> {
  const found = new Found(facts);
  for (const rule of RULES) rule(facts, found);
  return {
    findings: found.findings,
    hypotheses: conclude(facts, found),
    agents: agentReports(facts, found),
    closes: closeReports(facts),
  };
}
