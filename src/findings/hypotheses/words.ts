/**
 * The measurements of an AgentCase in few words, with packet numbers. In: hypotheses. Out: `because`.
 */

import { seconds } from '../../delivery/coverage.js';
import type { HopObservation } from '../../hop/observation.js';
import type { Path } from '../../path/path.js';
import { cite } from '../cite.js';
import { type Facts, legName } from '../facts.js';
import { counted, listed } from '../words.js';
import type { AgentCase, Site, Tally } from './agent-case.js';
import type { Life } from './life.js';

/** `npm.pcap #374,380`: as much as finds it in Wireshark. */
export function packets(facts: Facts, hop: number, refs: readonly number[]): string {
  const view = facts.views[hop];
  return cite(view, refs, '')
    .map(({ file, packets: numbers }) => `${file === '-' ? view.name : file.split('/').at(-1)} #${numbers.join(',')}`)
    .join(' ');
}

/** Data and TCP ACK of a message at a hop. */
export function rowPackets(facts: Facts, hop: number, row: number): string {
  const { messages } = facts.views[hop].observation as HopObservation;
  return packets(facts, hop, [messages.dataRefs(row)[0] ?? 0, messages.tcpAckRef[row]]);
}

export function examplePackets(facts: Facts, { tallies }: AgentCase, hop: number): string {
  const example = tallies[hop]?.example;
  return example == null ? '' : ` (${rowPackets(facts, hop, example.row)})`;
}

export function pingPackets(facts: Facts, { hop, ping }: Life): string {
  if (ping === null) return '';
  const { messages } = facts.views[hop].observation as HopObservation;
  return packets(facts, hop, [messages.firstRef[ping.row], messages.firstRef[ping.pongRow]]);
}

/** `4 attempts`, `4 attempts and 2 never sent`. */
export function attemptsOf({ attempts }: AgentCase): string {
  return counted(attempts, 'attempt');
}

export function whereOf(facts: Facts, site: Site): string {
  const hop = facts.views[site.hop]?.name ?? '';
  switch (site.how) {
    case 'unsent':
      return `never left ${hop}`;
    case 'partial':
      return `half written by ${hop}`;
    case 'dropped':
      return `arrived at ${hop} and never left it`;
    case 'unacked':
      return `never TCP-ACKed on ${legName(facts, site.hop)}`;
    case 'behind':
      return `waiting behind what is never TCP-ACKed on ${legName(facts, site.hop)}`;
    case 'window-beyond':
      return `waiting at the TCP window that ${facts.views[site.hop]?.name ?? 'whoever is next'} closed towards ${facts.views[site.hop - 1]?.name ?? ''}`;
    case 'window':
      return site.kind === 'agent'
        ? "waiting at the agent's closed TCP window"
        : `waiting at ${hop}'s closed TCP window`;
    case 'silent':
      return "TCP-ACKed from the agent's end and never acknowledged";
    case 'cut-off':
      return 'cut off by the end of the connection';
    case 'ack-dropped':
      return `answered, and the CommandAck never left ${hop}`;
    case 'ack-lost':
      return `answered, and the CommandAck lost on ${legName(facts, site.hop)}`;
  }
}

/** The same behind a number of attempts: `were never TCP-ACKed on npm->agent`, `wait at the agent's closed TCP window`. */
export function becameOf(facts: Facts, site: Site): string {
  const where = whereOf(facts, site);
  if (site.how === 'unsent' || site.how === 'dropped') return where;
  if (where.startsWith('waiting ')) return `${site.count === 1 ? 'waits' : 'wait'}${where.slice('waiting'.length)}`;
  return `${site.count === 1 ? 'was' : 'were'} ${where}`;
}

/** `none of the 4 attempts was TCP-ACKed on npm->agent`; `2 commands never left origin and 3 attempts …`. */
export function lostElsewhere(facts: Facts, { sites }: AgentCase): string {
  const [first] = sites;
  if (sites.length !== 1 || first.count === 1)
    return listed(sites.map((site) => `${siteCount(site)} ${becameOf(facts, site)}`));
  const noun = siteCount({ ...first, count: 1 }).slice(2);
  const [all, none] =
    first.count === 2 ? ['both', `neither ${noun}`] : [`all ${first.count}`, `none of the ${siteCount(first)}`];
  if (first.how === 'unsent') return `${none} left ${facts.views[first.hop]?.name ?? ''}`;
  if (first.how === 'unacked') return `${none} was TCP-ACKed on ${legName(facts, first.hop)}`;
  return `${all} ${noun}s ${becameOf(facts, first)}`;
}

export function siteCount({ how, count, example }: Site): string {
  return counted(
    count,
    how === 'unsent' || how === 'behind' || ((how === 'window' || how === 'window-beyond') && example === null)
      ? 'command'
      : 'attempt',
  );
}

/** `all 4 attempts`, `the only attempt`. */
export function allAttempts({ attempts }: AgentCase): string {
  if (attempts <= 2) return attempts === 1 ? 'the only attempt' : 'both attempts';
  return `all ${attempts} attempts`;
}

export function ackWords({ left, acked, acksUnseen, slowestAckNs, retransmissions }: Tally): string {
  const resent = retransmissions === 0 ? 'no retransmission' : counted(retransmissions, 'retransmission');
  if (acked === 0 && acksUnseen > 0) return `${resent}; its TCP ACKs are in no capture`;
  if (acked === 0) return `never TCP-ACKed, ${resent}`;
  return `${acked < left ? `${acked} ` : ''}TCP-ACKed within ${seconds(slowestAckNs)}, ${resent}`;
}

/** The hops at which one of these paths was read. */
export function hopsRead(facts: Facts, paths: readonly Path[]): string {
  return listed(
    facts.views.filter(({ index }) => paths.some(({ legs }) => legs[index] !== null)).map(({ name }) => name),
  );
}
