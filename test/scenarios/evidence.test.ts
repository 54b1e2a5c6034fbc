/**
 * The evidence of every verdict on every sample, opened again by a second reader that shares no code with lasthop: each cited data
 * packet carries octets of that message, on that leg, in that direction; each cited TCP ACK covers its end; and `absent` and
 * `sent-unacked` are said only where the second reader does not find the octets, or their TCP ACK, either.
 */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { streamOf, type Witness, witness } from './differences.js';
import { lasthop, type Sample, samples } from './sample.js';
import type { Connection, HopState, VerdictJson } from './verdict-json.js';
import type { TcpPacket } from './witness-packets.js';
import type { Direction, Frame, Stream } from './witness-streams.js';

const attemptOf = (text: string) => Number(/"delivery_?[aA]ttempt":(\d+)/.exec(text)?.[1]);
const kindOf = (text: string) => {
  const kind = /"(command_?(?:ack|result)?)"/i.exec(text.slice(0, 60))?.[1];
  return kind?.replace('_', '').toLowerCase();
};
const carries = (text: string, id: string) => text.includes(`"${id}"`) || new RegExp(`[iI]d":${id}\\b`).test(text);

/** The same connection, captured in other places too (before and after NAT): same ports' worth of sequence numbers. */
function siblings(seen: Witness, hop: string, stream: Stream): Stream[] {
  return seen.streams
    .get(hop)!
    .filter(
      (other) =>
        other.key === stream.key &&
        other.fromServer.origin === stream.fromServer.origin &&
        other.fromClient.origin === stream.fromClient.origin,
    );
}

interface Place {
  where: string;
  state: HopState;
  /** Data that way, TCP ACKs the other; several where the connection was captured in several places. */
  down: Direction[];
  up: Direction[];
  spans: Pick<Frame, 'start' | 'end'>[];
}

/** Octets [from, to) of the message's frames that a packet carries, relative to the direction's first. */
function carried(packet: TcpPacket, side: Direction, spans: Place['spans']): [number, number][] {
  const at = (packet.seq - side.origin) | 0;
  return spans
    .map(({ start, end }): [number, number] => [Math.max(at, start), Math.min(at + packet.payload.length, end)])
    .filter(([from, to]) => from < to);
}

function covers(ranges: [number, number][], spans: Place['spans']): boolean {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  return spans.every(({ start, end }) => {
    let to = start;
    for (const [a, b] of sorted) if (a <= to && b > to) to = b;
    return to >= end;
  });
}

function cited(seen: Witness, place: Place, which: 'data' | 'tcpAck', sides: Direction[], faults: string[]) {
  const found: { packet: TcpPacket; side: Direction }[] = [];
  for (const citation of place.state.packets) {
    const packets = seen.packets.get(resolve(citation.file));
    if (packets === undefined)
      faults.push(`${place.where}: cites ${citation.file}, which is no capture of this sample`);
    for (const number of citation[which]) {
      const packet = packets?.get(number);
      const side = sides.find(
        (one) => packet && one.source === packet.source && one.destination === packet.destination,
      );
      if (packet && side) found.push({ packet, side });
      else
        faults.push(
          `${place.where}: ${which} packet ${number} goes ${packet?.source} > ${packet?.destination}, the leg ` +
            `${sides.map((one) => `${one.source} > ${one.destination}`)}`,
        );
    }
  }
  return found;
}

/** Whether this packet TCP-ACKs everything up to `end`, or holds its last octet in a SACK block. */
function acks(packet: TcpPacket, side: Direction, end: number): boolean {
  if (packet.ack !== null && ((packet.ack - side.origin) | 0) >= end) return true;
  return packet.sacks.some(([l, r]) => ((l - side.origin) | 0) < end && ((r - side.origin) | 0) >= end);
}

function check(seen: Witness, place: Place): string[] {
  const { where, state, down, up, spans } = place;
  const faults: string[] = [];
  const end = spans.at(-1)!.end;
  const data = cited(seen, place, 'data', down, faults);
  const answers = cited(seen, place, 'tcpAck', up, faults);
  const ranges = data.map(({ packet, side }) => ({ number: packet.number, ranges: carried(packet, side, spans) }));
  for (const { number, ranges: some } of ranges)
    if (some.length === 0) faults.push(`${where}: packet ${number} carries no octet of the message`);
  const seenLeaving = ranges.flatMap(({ ranges: some }) => some);
  if (data.length === 0) faults.push(`${where}: ${state.state}, and no packet is cited`);
  if (state.state !== 'partial' && !covers(seenLeaving, spans))
    faults.push(`${where}: the cited packets do not carry the whole message`);
  const octets = spans.reduce((sum, span) => sum + span.end - span.start, 0);
  if (state.bytes !== octets) faults.push(`${where}: ${state.bytes} octets, the second reader counts ${octets}`);
  if (!data.some(({ packet }) => packet.at === state.sentAt))
    faults.push(`${where}: sentAt ${state.sentAt} is the time of no cited packet`);
  if (state.state === 'tcp-acked') {
    if (answers.length === 0) faults.push(`${where}: tcp-acked, and no packet is cited`);
    for (const { packet, side } of answers) {
      const other = down[up.indexOf(side)];
      if (!acks(packet, other, end))
        faults.push(`${where}: packet ${packet.number} does not TCP-ACK the message's end`);
    }
    if (!answers.some(({ packet }) => packet.at === state.tcpAckedAt))
      faults.push(`${where}: tcpAckedAt ${state.tcpAckedAt} is the time of no cited packet`);
    // The first TCP ACK of the whole in the capture's order is meant, not a later one; where it was cited, if a connection was captured in several places.
    const first = up.flatMap((side, i) =>
      answers.some((answer) => answer.side === side)
        ? side.packets
            .filter((p) => p.ack !== null && ((p.ack - down[i].origin) | 0) >= end)
            .slice(0, 1)
            .map((p) => p.at)
        : [],
    );
    if (first.some((at) => at < state.tcpAckedAt!))
      faults.push(`${where}: tcpAckedAt ${state.tcpAckedAt}, but TCP-ACKed at ${first.toSorted()[0]}`);
  } else {
    up.forEach((side, i) => {
      const by = side.packets.find((p) => p.ack !== null && ((p.ack - down[i].origin) | 0) >= end);
      if (by) faults.push(`${where}: ${state.state}, but packet ${by.number} TCP-ACKs its end`);
    });
  }
  if (down.length === 1) {
    // Those that came when all was TCP-ACKed already may count or not.
    const least = retransmissions(down[0], spans, state.tcpAckedAt ?? '9');
    const most = retransmissions(down[0], spans, '9');
    if (state.retransmissions < least || state.retransmissions > most)
      faults.push(`${where}: ${state.retransmissions} retransmissions, the second reader counts ${least} to ${most}`);
  }
  return faults;
}

/** Segments in the order of the capture, up to a time, that carry octets of the message which were seen before. */
function retransmissions(side: Direction, spans: Place['spans'], until: string): number {
  const before = new Set<number>();
  let again = 0;
  for (const packet of side.packets.filter(({ at }) => at < until)) {
    let repeated = false;
    for (const [from, to] of carried(packet, side, spans)) {
      for (let octet = from; octet < to; octet++) {
        if (before.has(octet)) repeated = true;
        before.add(octet);
      }
    }
    if (repeated) again++;
  }
  return again;
}

/**
 * The attempt of that number; of an agent's equal answers, of which neither a log nor a capture tells to which attempt each belongs,
 * the one that the first cited packet carries.
 */
function messageIn(side: Direction, id: string, kind: string, attempt: number | null, first: TcpPacket | undefined) {
  const all = side.messages.filter(({ text }) => kindOf(text) === kind && carries(text, id));
  if (attempt !== null) return all.find(({ text }) => attemptOf(text) === attempt);
  return all.find(({ frames }) => first !== undefined && carried(first, side, frames).length > 0) ?? all[0];
}

function evidenceFaults(sample: Sample, verdict: VerdictJson, seen: Witness): { faults: string[]; checked: number } {
  const faults: string[] = [];
  let checked = 0;
  const connections = new Map(verdict.connections.map((connection) => [connection.id, connection]));
  const streamAt = (connection: Connection | undefined, hop: string) => {
    const leg = connection?.legs.find((one) => one.hop === hop);
    return leg?.encrypted ? null : leg && streamOf(seen, leg);
  };
  const hold = (
    where: string,
    state: HopState,
    stream: Stream | null | undefined,
    id: string,
    n: number | null,
    kind: string,
  ) => {
    const fromServer = kind === 'command';
    if (stream === null) return; // encrypted: tshark is the witness there (tls.test.ts)
    if (stream === undefined) {
      if (state.state !== 'unobserved' && !isByTcpAcksAlone(where, state, id, n, kind))
        faults.push(`${where}: ${state.state} on a leg that does not exist`);
      return;
    }
    if (state.state === 'unobserved') return;
    checked++;
    const all = siblings(seen, state.hop, stream);
    const down = all.map((one) => (fromServer ? one.fromServer : one.fromClient));
    const up = all.map((one) => (fromServer ? one.fromClient : one.fromServer));
    const [cite] = state.packets;
    const first = cite && seen.packets.get(resolve(cite.file))?.get(cite.data[0]);
    const message = messageIn(down[0], id, kind, n, first);
    if (state.state === 'absent') {
      if (message !== undefined) faults.push(`${where}: absent, but it is there at offset ${message.start}`);
      if (state.packets.some(({ data, tcpAck }) => data.length + tcpAck.length > 0))
        faults.push(`${where}: absent, and packets are cited`);
      return;
    }
    const { rest } = down[0];
    const spans =
      state.state === 'partial' && rest !== null && carries(rest.text, id)
        ? [{ start: rest.start, end: down[0].octets.length }]
        : message?.frames;
    if (spans === undefined) faults.push(`${where}: ${state.state}, but the second reader does not find it`);
    else if (state.state === 'partial') faults.push(...check(seen, { where, state, down, up, spans }).filter(notAck));
    else faults.push(...check(seen, { where, state, down, up, spans }));
  };
  /**
   * Of a direction that a filter left out: the TCP ACK that is cited is compared with those of the same connection's other messages. They lie as far
   * apart as the messages do at a hop that captured all, or a little more.
   */
  const byTcpAcks = new Map<string, { where: string; beyond: number }[]>();
  const whole = sample.scenario.hops.find(({ oneWay }) => oneWay === undefined)?.name ?? '';
  const isByTcpAcksAlone = (where: string, state: HopState, id: string, n: number | null, kind: string): boolean => {
    const fromServer = kind === 'command';
    const hop = sample.scenario.hops.find(({ name }) => name === state.hop);
    if (hop?.oneWay !== (fromServer ? 'inward' : 'outward') || state.grade !== 'inferred') return false;
    const [{ file, data, tcpAck }] = state.packets;
    const packet = seen.packets.get(resolve(file))?.get(tcpAck[0]);
    const ends = (seen.streams.get(whole) ?? []).map((stream) => {
      const side = fromServer ? stream.fromServer : stream.fromClient;
      return messageIn(side, id, kind, n, undefined)?.frames.at(-1)?.end;
    });
    const at = ends.findIndex((end) => end !== undefined);
    if (packet === undefined || packet.ack === null || data.length > 0 || at < 0) return false;
    const key = `${state.hop} ${packet.source} ${packet.destination}`;
    const beyond = (packet.ack - (ends[at] as number)) | 0;
    byTcpAcks.set(key, [...(byTcpAcks.get(key) ?? []), { where, beyond }]);
    checked++;
    return true;
  };
  for (const command of verdict.commands) {
    const expected = sample.expected.commands.find(({ id }) => id === command.id);
    command.attempts.forEach((attempt, i) => {
      const n = expected?.attempts[i]?.n ?? null;
      const name = `${command.agent} ${command.id} attempt ${n}`;
      for (const state of attempt.hops) {
        const stream = streamAt(connections.get(attempt.connection), state.hop);
        hold(`${name} at ${state.hop}`, state, stream, command.id, n, 'command');
      }
      for (const [reply, kind] of [
        [attempt.commandAck, 'commandack'],
        [attempt.result, 'commandresult'],
      ] as const) {
        for (const state of reply?.hops ?? []) {
          const stream = streamAt(connections.get(reply!.connection), state.hop);
          hold(`${name}, ${kind} at ${state.hop}`, state, stream, command.id, null, kind);
        }
      }
    });
  }
  for (const told of byTcpAcks.values()) {
    const least = told.reduce((a, b) => (((a.beyond - b.beyond) | 0) < 0 ? a : b)).beyond;
    for (const { where, beyond } of told)
      if (((beyond - least) | 0) > COVERED_AS_WELL) faults.push(`${where}: the TCP ACK is not the one that covers it`);
  }
  return { faults, checked };
}

/** A TCP ACK may cover a message or two that came with it. */
const COVERED_AS_WELL = 400;

/** What arrived of a message that was cut is TCP-ACKed as it should be. */
const notAck = (fault: string) => !/TCP-ACKs its end/.test(fault);

describe.each(samples)('$name', (sample) => {
  it('cites packets that prove it', async () => {
    const { out } = await lasthop(['verdict', ...sample.args, '--json']);
    const { faults, checked } = evidenceFaults(sample, JSON.parse(out), witness(sample));
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(0);
  });
});
