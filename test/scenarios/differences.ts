/**
 * Holds a verdict against what the logs of the real programs say. In: expected.json (from the logs alone), lasthop's JSON, and
 * the Sec-WebSocket-Keys that the second witness read on each leg. Out: every difference, in words.
 */
import { join } from 'node:path';
import type { Expected, ExpectedCommand, Sample } from './sample.js';
import type { Attempt, Command, VerdictJson } from './verdict-json.js';
import { type TcpPacket, tcpPackets } from './witness-packets.js';
import { type Stream, streamsOf } from './witness-streams.js';

export interface Witness {
  packets: Map<string, Map<number, TcpPacket>>;
  streams: Map<string, Stream[]>;
}

export function witness(sample: Sample): Witness {
  const packets = new Map<string, Map<number, TcpPacket>>();
  const streams = new Map<string, Stream[]>();
  for (const hop of sample.hops) {
    const all: TcpPacket[][] = [];
    for (const { name, file } of sample.scenario.hops) {
      if (name !== hop) continue;
      const path = join(sample.dir, file);
      packets.set(path, tcpPackets(path));
      all.push([...packets.get(path)!.values()]);
    }
    streams.set(hop, streamsOf(joined(all)));
  }
  return { packets, streams };
}

/** Files may hold one direction each, or overlap: then a packet is in two of them, a few microseconds apart. No sender is as quick as that. */
function joined(files: readonly TcpPacket[][]): TcpPacket[] {
  // One file keeps its order: its clock may have been set back.
  if (files.length === 1) return files[0];
  const all = files.flatMap((packets, file) => packets.map((packet) => ({ packet, file })));
  all.sort((a, b) => (a.packet.at < b.packet.at ? -1 : Number(a.packet.at > b.packet.at)));
  const seen = new Map<string, { file: number; ms: number }>();
  return all
    .filter(({ packet: { at, source, destination, seq, ack, payload }, file }) => {
      const key = [source, destination, seq, ack, payload.length].join(' ');
      const ms = Date.parse(at);
      const before = seen.get(key);
      seen.set(key, { file, ms });
      return before === undefined || before.file === file || ms - before.ms > 1;
    })
    .map(({ packet }) => packet);
}

/** The stream of a leg: the one between these two addresses that was open then. */
export function streamOf(seen: Witness, leg: { hop: string; client: string; server: string; openedAt: string | null }) {
  const between = seen.streams.get(leg.hop)!.filter((s) => s.client === leg.client && s.server === leg.server);
  return between.find((s) => s.openedAt === leg.openedAt) ?? (between.length === 1 ? between[0] : undefined);
}

/** lasthop's connection IDs by the server's number of the connection, and what does not fit. */
export function pairConnections(sample: Sample, verdict: VerdictJson, seen: Witness) {
  const faults: string[] = [];
  const conns = new Map<number, string>();
  const byKey = new Map(
    sample.expected.connections.flatMap((c) =>
      [c.key, ...Object.values(c.ownKeys ?? {})].map((key) => [key, c] as const),
    ),
  );
  for (const connection of verdict.connections) {
    const keys = new Set<string>();
    for (const leg of connection.legs) {
      if (leg.encrypted) {
        // The second witness has no keys; tshark is the witness there (tls.test.ts).
        if (!leg.decrypted) faults.push(`${connection.id}: not decrypted at ${leg.hop}`);
        continue;
      }
      // The second witness tells a WebSocket by both of its heads.
      if (sample.scenario.hops.some(({ name, oneWay }) => name === leg.hop && oneWay !== undefined)) continue;
      const stream = streamOf(seen, leg);
      if (stream === undefined)
        faults.push(`${connection.id}: no WebSocket ${leg.client} > ${leg.server} at ${leg.hop}`);
      else if (stream.key !== null) keys.add(stream.key);
      if (stream !== undefined && (stream.key !== null) !== (leg.handshake === 'seen'))
        faults.push(`${connection.id} at ${leg.hop}: handshake ${leg.handshake}, but the key is ${stream.key}`);
    }
    if (new Set([...keys].map((key) => byKey.get(key))).size > 1)
      faults.push(`${connection.id}: legs of different WebSockets: ${[...keys]}`);
    const [key] = keys;
    let expected = byKey.get(key);
    if (keys.size === 0) {
      // No handshake in any capture: each agent has one connection in such a sample.
      const same = sample.expected.connections.filter((c) => c.agent === connection.agent);
      if (same.length === 1) expected = same[0];
    }
    if (expected === undefined) {
      faults.push(`${connection.id} (${connection.agent}): the server's log knows no connection with key ${key}`);
      continue;
    }
    if (conns.has(expected.conn)) faults.push(`${conns.get(expected.conn)} and ${connection.id} are one connection`);
    conns.set(expected.conn, connection.id);
    if (connection.agent !== expected.agent)
      faults.push(`${connection.id}: agent ${connection.agent}, server log: ${expected.agent}`);
    for (const hop of sample.hops) {
      if (!connection.legs.some((leg) => leg.hop === hop)) faults.push(`${connection.id}: no leg at ${hop}`);
    }
  }
  for (const { conn, agent } of sample.expected.connections) {
    if (!conns.has(conn)) faults.push(`connection ${conn} of ${agent} in the server's log is missing`);
  }
  return { conns, faults };
}

function verdictDifferences(where: string, expected: Omit<Expected, 'n' | 'conn'>, had: Command | Attempt): string[] {
  const faults: string[] = [];
  const say = (what: string, wanted: unknown, got: unknown) => {
    if (wanted !== got) faults.push(`${where}: ${what} expected ${wanted}, lasthop ${got} (${had.reason})`);
  };
  say('outcome', expected.outcome, had.outcome);
  if (expected.lastHopAnyOf === undefined) say('lastHop', expected.lastHop, had.lastHop);
  else if (!expected.lastHopAnyOf.includes(had.lastHop!)) say('lastHop', expected.lastHopAnyOf.join('|'), had.lastHop);
  if (expected.lostAtAnyOf === undefined) say('lostAt', expected.lostAt, had.lostAt);
  else if (!expected.lostAtAnyOf.includes(had.lostAt!)) say('lostAt', expected.lostAtAnyOf.join('|'), had.lostAt);
  say('late', expected.late ?? false, had.late);
  return faults;
}

export function commandDifferences(
  sample: Sample,
  expected: ExpectedCommand,
  had: Command,
  conns: Map<number, string>,
) {
  const where = `${expected.agent} ${expected.id}`;
  const faults = verdictDifferences(where, expected, had);
  if (had.agent !== expected.agent) faults.push(`${where}: agent ${had.agent}`);
  if (had.attempts.length !== expected.attempts.length)
    faults.push(`${where}: attempts expected ${expected.attempts.length}, lasthop ${had.attempts.length}`);
  expected.attempts.forEach((wanted, i) => {
    const attempt = had.attempts[i];
    if (attempt === undefined) return;
    const name = `${where} attempt ${wanted.n}`;
    faults.push(...verdictDifferences(name, wanted, attempt));
    if (attempt.n !== i + 1) faults.push(`${name}: is number ${attempt.n}`);
    if (attempt.connection !== conns.get(wanted.conn))
      faults.push(`${name}: on ${attempt.connection}, server log: ${conns.get(wanted.conn)} (${wanted.conn})`);
    if (attempt.hops.map(({ hop }) => hop).join() !== sample.hops.join())
      faults.push(`${name}: hops ${attempt.hops.map(({ hop }) => hop)}`);
    for (const { hop, state, reason } of attempt.hops) {
      const right = wanted.states?.[hop];
      if (right !== undefined && right !== state)
        faults.push(`${name} at ${hop}: expected ${right}, lasthop ${state} (${reason})`);
      if (state === 'unobserved' && !reason) faults.push(`${name} at ${hop}: unobserved without a reason`);
    }
  });
  return faults;
}

export function allDifferences(sample: Sample, verdict: VerdictJson, seen: Witness): string[] {
  const { conns, faults } = pairConnections(sample, verdict, seen);
  const had = new Map(verdict.commands.map((command) => [command.id, command]));
  if (had.size !== verdict.commands.length) faults.push('a command is listed twice');
  for (const expected of sample.expected.commands) {
    const command = had.get(expected.id);
    had.delete(expected.id);
    if (command === undefined) faults.push(`${expected.agent} ${expected.id}: missing (expected ${expected.outcome})`);
    else faults.push(...commandDifferences(sample, expected, command, conns));
  }
  // A dispatch that brought no ID and was never answered may be listed under a name of lasthop's own.
  const unnamed = sample.expected.unnamed.map(({ agent }) => agent);
  const right: Record<string, number> = { ...sample.expected.summary.byOutcome };
  for (const { id, agent, outcome, attempts } of had.values()) {
    const at = unnamed.indexOf(agent ?? '');
    if (outcome === 'never-sent' && attempts.length === 0 && at >= 0) {
      unnamed.splice(at, 1);
      right['never-sent'] = (right['never-sent'] ?? 0) + 1;
    } else faults.push(`${id}: ${outcome}, but no log knows of it`);
  }
  const text = (counts: Record<string, number>) =>
    JSON.stringify(
      Object.entries(counts)
        .filter(([, n]) => n > 0)
        .sort(),
    );
  if (text(verdict.summary.byOutcome) !== text(right))
    faults.push(`summary: expected ${text(right)}, lasthop ${text(verdict.summary.byOutcome)}`);
  return faults;
}
