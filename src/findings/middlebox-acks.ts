/**
 * middlebox-acks: on the leg to the agent TCP ACKs return much faster than Pongs ever do, so that something between ends TCP
 * (a TLS-inspecting gateway, an accelerator), and a TCP ACK there is not the agent's. In: facts. Out: one finding.
 * Inferred: an agent that is slow to answer every single Ping looks the same.
 */

import { seconds } from '../delivery/coverage.js';
import type { HopObservation } from '../hop/observation.js';
import type { Path } from '../path/path.js';
import { cite } from './cite.js';
import { agentLeg, type Facts, failedOn } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { pingLineOf } from './ping-line.js';
import { counted, listed } from './words.js';

const LEAST_PINGS = 5;
const LEAST_RATIO = 10;
const LEAST_DIFFERENCE_NS = 30e6;

interface Suspect {
  path: Path;
  ackNs: number;
  pongNs: number;
  refs: number[];
}

export function middleboxAcks(facts: Facts, found: Found): void {
  const suspects = facts.paths.map((path) => suspectOn(facts, path)).filter((each): each is Suspect => each !== null);
  if (suspects.length === 0) return;
  const view = facts.views[facts.views.length - 1];
  const paths = suspects.map(({ path }) => path);
  const slowestAck = Math.max(...suspects.map(({ ackNs }) => ackNs));
  const fastestPong = Math.min(...suspects.map(({ pongNs }) => pongNs));
  const commands = paths.flatMap((path) => failedOn(facts, path, 'reached-agent').flatMap((failed) => failed.commands));
  const open = new Set(commands).size;
  found.add({
    id: 'middlebox-acks',
    severity: 'warning',
    grade: 'inferred',
    paths,
    commands,
    summary:
      `Towards ${listed(namesOf(paths))} Pings are usually TCP-ACKed within ${seconds(slowestAck)} and never answered in less than ${seconds(fastestPong)}: ` +
      `something past ${view.name} seems to end TCP, and ${open === 0 ? 'a TCP ACK there does not prove that the agent has it' : `${counted(open, 'command')} TCP-ACKed there and never acknowledged may be lost in it or ignored by the agent`}.`,
    evidence: suspects.flatMap(({ path, ackNs, pongNs, refs }) =>
      cite(
        view,
        refs,
        `${nameOf(path)}: a Ping, its TCP ACK (usually after ${seconds(ackNs)}) and its Pong (at best after ${seconds(pongNs)})`,
      ),
    ),
    next: `Ask the site for a firewall, TLS inspection or WAN accelerator, and capture on the agent's machine.`,
  });
}

/** So many tell as much as all. */
const MOST_PINGS = 256;

function suspectOn(facts: Facts, path: Path): Suspect | null {
  const times = pingTimes(facts, path);
  if (times === null || times.answered < LEAST_PINGS) return null;
  const { ackNs, pongNs } = times;
  if (!(pongNs > ackNs * LEAST_RATIO && pongNs - ackNs > LEAST_DIFFERENCE_NS)) return null;
  // What the agent itself says came back about as quickly as Pongs never do: then it is not the distance that makes those slow.
  return fastestReplyNs(facts, path) < pongNs / 2 ? null : { path, ...times };
}

/** The quickest CommandAck or result on the leg to the agent; infinity for none. */
function fastestReplyNs(facts: Facts, path: Path): number {
  const leg = agentLeg(facts, path);
  let fastestNs = Number.POSITIVE_INFINITY;
  if (leg === null) return fastestNs;
  const { messages } = facts.views[leg.hop].observation as HopObservation;
  const sent = new Map<number, number>();
  for (const row of leg.connection.fromServer.rows)
    if (messages.id[row] >= 0) sent.set(messages.id[row], messages.sentNs[row]);
  for (const row of leg.connection.fromClient.rows) {
    const replyNs = messages.sentNs[row] - (sent.get(messages.id[row]) ?? Number.NaN);
    if (replyNs >= 0 && replyNs < fastestNs) fastestNs = replyNs;
  }
  return fastestNs;
}

/** The usual TCP ACK of a Ping and the fastest Pong, on the leg to the agent; null where none was answered, or some were lost. */
export function pingTimes(
  facts: Facts,
  path: Path,
): { ackNs: number; pongNs: number; answered: number; refs: number[] } | null {
  const leg = agentLeg(facts, path);
  if (leg === null) return null;
  const { messages } = facts.views[leg.hop].observation as HopObservation;
  const line = pingLineOf(facts.views[leg.hop].observation as HopObservation, leg.connection);
  const answered = line.first(MOST_PINGS).filter((ping) => ping.pongRow >= 0);
  if (answered.length === 0) return null;
  const acks: number[] = [];
  let pongNs = Number.POSITIVE_INFINITY;
  for (const { row, sentNs, pongRow } of answered) {
    if (messages.retransmissions[row] > 0) return null; // loss delays Pongs, too
    pongNs = Math.min(pongNs, messages.sentNs[pongRow] - sentNs);
    acks.push(messages.tcpAckNs[row] - sentNs);
  }
  if (areMistakable(messages, answered, pongNs)) return null;
  // Every TCP ACK is fast, not just a lucky one; and every Pong slow.
  const ackNs = acks.sort((a, b) => a - b)[acks.length >> 1];
  const { row, pongRow } = answered[0];
  const refs = [messages.firstRef[row], messages.tcpAckRef[row], messages.firstRef[pongRow]];
  return { ackNs, pongNs, answered: answered.length, refs };
}

/** A Ping's interval, less what timers are off by. */
const ABOUT = 0.9;

/** Pings that read the same, and Pongs that take an interval: one Pong was not captured, and each is taken for the answer to the Ping before. */
function areMistakable(
  { digest }: HopObservation['messages'],
  pings: readonly { row: number; sentNs: number }[],
  pongNs: number,
): boolean {
  return pings.some(
    ({ row, sentNs }, i) =>
      i > 0 && digest[row] === digest[pings[i - 1].row] && pongNs >= ABOUT * (sentNs - pings[i - 1].sentNs),
  );
}
