/**
 * Judges one attempt: how far it got, and where it was lost (SPEC.md, "Outcome of an attempt"). In: its states at the hops, the
 * agent's reply, the deadline. Out: outcome, lastHop, lostAt and the reason in words. Nothing is concluded from what was not captured.
 */

import type { ObservedConnection } from '../hop/observation.js';
import type { HopView, Path } from '../path/path.js';
import { commonNs, localNs, withinNs } from '../path/path.js';
import type { Stepped } from './clock-doubt.js';
import { blockedThrough, lostAround, lostOnTheWay, provenQuiet, seconds } from './coverage.js';
import { isSentAgain, type Judged, knownAt, localStretch } from './hop-state.js';
import { isSentInVain } from './in-vain.js';
import { blindnessOn } from './passed-unseen.js';
import type { Outcome } from './verdict.js';

export interface Ruling {
  outcome: Outcome;
  lastHop: string | null;
  lostAt: string | null;
  late: boolean;
  /** In words; put together only when somebody reads it. */
  reason: () => string;
}

/** The agent's CommandAck (or result), judged at every hop on its own way. */
export interface JudgedReply {
  path: Path;
  states: Judged[];
  /** Common clock, at the innermost hop that saw it. */
  firstNs: number;
  /** It is a result, and its CommandAck was not seen. */
  lacksAck: boolean;
}

export interface Attempt {
  path: Path;
  views: readonly HopView[];
  states: Judged[];
  /** Common clock: when it left the innermost hop that saw it, and the deadline after it. */
  sentNs: number;
  deadlineNs: number;
  ackTimeoutNs: number;
  /** Name of the next hop outward of the last one, where the outermost leg's handshake shows that the path goes on. */
  goesOnTo: string | null;
  /** In words, what shows that; null where the connections captured do. */
  goesOnBecause: string | null;
  /** The outermost leg's client, where only its opening could have told that it is not the agent's end, and was not captured. */
  takenForAgent: string | null;
  /** In words, what speaks for its being a proxy. */
  mayBeProxy(): string | null;
  /** By hop: the address of a hop between it and the next inner one, which was neither captured nor named. */
  uncaptured: readonly (string | null)[];
  /** By how much it may have been longer or shorter between two moments of common time, and why; null where that is known. */
  steppedAt(fromNs: number, toNs: number): Stepped | null;
}

/** A message that takes longer through the hops than this was held back on its way. */
const HELD_WORTH_SAYING_NS = 1e9;

export function judgeAttempt(attempt: Attempt, reply: JudgedReply | null): Ruling {
  if (reply !== null) return judgeReply(attempt, reply);
  return judgeWithoutReply(attempt);
}

/** All of it was seen leaving, or is known to have left. */
export const hasLeft = (judged: Judged) =>
  judged.state === 'tcp-acked' || judged.state === 'sent-unacked' || (judged.state === 'unobserved' && judged.whole);

function judgeReply(attempt: Attempt, reply: JudgedReply): Ruling {
  const { views } = attempt;
  const { states } = reply;
  const lastHop = views[views.length - 1].name;
  const stepped = attempt.steppedAt(attempt.sentNs, reply.firstNs + attempt.ackTimeoutNs);
  const open = (reason: () => string): Ruling => ({
    outcome: 'inconclusive',
    lastHop,
    lostAt: null,
    late: false,
    reason: () => (stepped === null ? reason() : `${reason()}; ${stepped.words}`),
  });
  let innermost = 0;
  while (innermost < states.length && !hasLeft(states[innermost])) innermost++;
  if (innermost === states.length) return open(() => 'a CommandAck was seen only in part');
  let lost = false;
  for (let hop = 0; hop < innermost; hop++)
    if (states[hop].state !== 'unobserved' || views[innermost].clock === null || covers(views[hop], states[hop], reply))
      lost = true;
  if (!lost) return delivered(attempt, reply, innermost, lastHop);
  const where = views[innermost].name;
  const next = states[innermost - 1];
  const between = attempt.uncaptured[innermost] ?? null;
  if (between !== null)
    return open(
      () =>
        `the agent's CommandAck reached ${where}, and ${between} stands between it and ${views[innermost - 1].name}: a capture there would settle it (name all hops with --path)`,
    );
  if (next.state === 'unobserved') return open(() => `the agent's CommandAck reached ${where}; ${next.reason}`);
  const outward = views[innermost + 1]?.name ?? 'agent';
  // A leg has one name whichever way a message goes on it: outward.
  const arrived = states[innermost].state === 'tcp-acked';
  if (!arrived && !isResent(attempt, reply, innermost))
    return open(
      () =>
        `the agent's CommandAck was seen at ${where} and not further in; no TCP ACK for it was captured, nor was it sent again: a capture of ${where} that holds both would settle it`,
    );
  const inner = views[innermost - 1].name;
  const passage = onTheInnerLeg(attempt, reply, innermost - 1);
  if (arrived && passage === 'lost')
    return {
      outcome: 'ack-lost',
      lastHop,
      lostAt: `${inner}->${where}`,
      late: false,
      reason: () =>
        `the agent's CommandAck arrived at ${where}; octets that ${where} sent on were lost before ${inner}`,
    };
  if (arrived && passage === 'unknown')
    return open(
      () =>
        `the agent's CommandAck arrived at ${where} and never reached ${inner}; whether ${where} sent it on cannot be told: a capture of ${where}'s inner side would settle it`,
    );
  return {
    outcome: 'ack-lost',
    lastHop,
    lostAt: arrived ? where : `${where}->${outward}`,
    late: false,
    reason: () =>
      arrived
        ? `the agent's CommandAck arrived at ${where} and never reached ${inner}`
        : `the agent's CommandAck was seen at ${where} but never TCP-ACKed there, and never reached ${inner}`,
  };
}

function isResent(attempt: Attempt, reply: JudgedReply, hop: number): boolean {
  const observation = attempt.views[hop].observation;
  const half = reply.path.legs[hop]?.connection.fromClient;
  if (observation === null || half === undefined) return false;
  return isSentAgain(half, observation.messages, reply.states[hop].row);
}

/** What became of what the agent sent on the leg of an inner hop: nothing was sent on it, octets were lost, or nobody can tell. */
function onTheInnerLeg(attempt: Attempt, reply: JudgedReply, hop: number): 'nothing-sent' | 'lost' | 'unknown' {
  const leg = reply.path.legs[hop];
  if (leg === null) return 'unknown';
  const { fromClient, fromServer } = leg.connection;
  const view = attempt.views[hop];
  const stretch = localStretch(view, { fromNs: reply.firstNs, toNs: reply.firstNs + attempt.ackTimeoutNs });
  if (lostOnTheWay(fromClient, stretch)) return 'lost';
  if (provenQuiet(fromClient, stretch.toNs)) return 'nothing-sent';
  // Nothing at all comes from the other side any more, not even TCP ACKs: the leg is dead.
  return blockedThrough(fromServer, stretch) === null ? 'unknown' : 'lost';
}

function delivered(attempt: Attempt, reply: JudgedReply, innermost: number, lastHop: string): Ruling {
  const { views } = attempt;
  const arrivedNs = reply.states[innermost].sentNs;
  const cameLate = Number.isNaN(arrivedNs)
    ? isLateFurtherOut(attempt, reply)
    : isLate(attempt, reply, innermost, arrivedNs);
  const blind = cameLate && reply.lacksAck ? ackUnseenAt(attempt, reply, innermost) : null;
  const late = cameLate && blind === null;
  const reason = () => {
    const inner = views.slice(0, innermost).map((view) => view.name);
    const missing = innermost > 0 ? ` (${inner.join(', ')}: not captured at this time)` : '';
    const tooLate = late
      ? `, later than the deadline of ${seconds(attempt.ackTimeoutNs)}${whatHeldItUp(attempt, reply)}`
      : '';
    const unseen = Number.isNaN(arrivedNs) ? ` (${reply.states[innermost].reason?.replace(/^.*?: /, '')})` : '';
    const earlier = blind === null ? '' : `; a CommandAck may have come in time unseen (${blind})`;
    return `CommandAck back at ${views[innermost].name}${afterWords(attempt, reply, innermost)}${tooLate}${unseen}${missing}${earlier}`;
  };
  return { outcome: 'delivered', lastHop, lostAt: null, late, reason };
}

/** A result that came late says nothing of the CommandAck before it where that may have come unseen: why it may. */
function ackUnseenAt({ views, sentNs, deadlineNs }: Attempt, { path }: JudgedReply, hop: number): string | null {
  const stretch = localStretch(views[hop], { fromNs: sentNs, toNs: deadlineNs });
  return blindnessOn(views, path, hop, 'fromClient', stretch, knownAt(views[hop], path, 'fromClient'));
}

/** How long it took; by one hop's clock alone where the two cannot be compared. */
function afterWords(attempt: Attempt, { states }: JudgedReply, hop: number): string {
  const arrivedNs = states[hop].sentNs;
  // Of a command or a reply in a hole of the capture the moment is not known.
  if (Number.isNaN(arrivedNs) || Number.isNaN(attempt.sentNs)) return '';
  if (areComparable(attempt, hop)) return ` after ${seconds(arrivedNs - attempt.sentNs)}`;
  const passedNs = attempt.states[hop].sentNs;
  const { name } = attempt.views[hop];
  return Number.isNaN(passedNs) ? '' : `, ${seconds(arrivedNs - passedNs)} after the command left ${name}`;
}

/** Whether a time at this hop can be compared with the one at which the attempt was sent. */
export function areComparable({ states, views, sentNs }: Attempt, hop: number): boolean {
  const told = states.findIndex((judged) => judged.sentNs === sentNs);
  return told === hop || (views[hop].clock !== null && views[told]?.clock !== null);
}

/** Of what came too late: what was lost on its way, if anything is known to have been. */
function whatHeldItUp({ states }: Attempt, reply: JudgedReply): string {
  const lost = [...reply.states, ...states].find(({ reason }) => reason?.includes('lost-before-capture'));
  return lost === undefined ? '' : ` (${lost.reason})`;
}

/** By the clock of the hop that saw both where there is one; across clocks only beyond what they are not known to. */
function isLate(attempt: Attempt, reply: JudgedReply, hop: number, arrivedNs: number): boolean {
  const passedNs = attempt.states[hop].sentNs;
  if (Number.isNaN(passedNs))
    return (
      attempt.steppedAt(attempt.sentNs, arrivedNs) === null &&
      arrivedNs - withinNs(attempt.views[hop], arrivedNs) - sentWithinNs(attempt) >
        attempt.sentNs + attempt.ackTimeoutNs
    );
  const stepped = attempt.steppedAt(attempt.sentNs, arrivedNs);
  if (stepped === null && runsEvenly(attempt.views, hop)) return arrivedNs - passedNs > attempt.ackTimeoutNs;
  return (
    isLateByMost(attempt, reply) || (stepped !== null && arrivedNs - passedNs - stepped.byNs > attempt.ackTimeoutNs)
  );
}

/** The hop's clock, as the others tell: all of them, or, where it is the one that they are set by, any that keeps pace with it. */
function runsEvenly(views: readonly HopView[], hop: number): boolean {
  const others = views.filter(({ index, clock }) => index !== hop && clock !== null);
  if (others.every(({ clock }) => clock?.steady) && views[hop].clock?.steady !== false) return true;
  const first = views.findIndex(({ observation }) => observation !== null);
  return hop === first && others.some(({ clock }) => clock?.steady && clock.pieces.length === 1);
}

/** How far the moment at which it was sent may be off: by the clock of the innermost hop that tells it. */
function sentWithinNs({ states, views, sentNs }: Attempt): number {
  const hop = states.findIndex((judged) => judged.sentNs === sentNs);
  return hop < 0 ? 0 : withinNs(views[hop], sentNs);
}

/** When it came to the innermost hop was not captured: not before it left the others. */
function isLateFurtherOut(attempt: Attempt, { states }: JudgedReply): boolean {
  return states.some(
    ({ sentNs }, hop) =>
      sentNs - withinNs(attempt.views[hop], sentNs) - sentWithinNs(attempt) > attempt.sentNs + attempt.ackTimeoutNs &&
      attempt.steppedAt(attempt.sentNs, sentNs) === null,
  );
}

/**
 * Some clock was stepped. Each capture that holds both tells by its own stamps how long it took: two that say it was late, or one that no other
 * contradicts. Not one in which the answer comes before the command: that one's clock was set back.
 */
function isLateByMost({ views, states, ackTimeoutNs }: Attempt, reply: JudgedReply): boolean {
  let late = 0;
  let inTime = 0;
  states.forEach(({ row }, hop) => {
    const sentNs = views[hop].observation?.messages.sentNs;
    const answer = reply.states[hop].row;
    if (sentNs === undefined || row < 0 || answer < 0) return;
    const [fromNs, toNs] = [sentNs[row], sentNs[answer]];
    if (views[hop].clock?.ownSteps.some((step) => step.fromNs <= toNs && step.toNs >= fromNs)) return;
    const tookNs = toNs - fromNs;
    if (tookNs > ackTimeoutNs) late++;
    else if (tookNs >= 0) inTime++;
  });
  return late > 1 || (late === 1 && inTime === 0);
}

/** Whether a hop that did not see the reply was capturing when it should have come by: then what it missed stays open. */
function covers(view: HopView, judged: Judged, reply: JudgedReply): boolean {
  const { observation } = view;
  if (observation === null) return false;
  if (judged.row >= 0 || view.clock?.steady !== true) return true;
  const { fromNs, toNs } = localStretch(view, { fromNs: reply.firstNs, toNs: reply.firstNs });
  return observation.firstNs <= toNs && observation.lastNs >= fromNs;
}

function judgeWithoutReply(attempt: Attempt): Ruling {
  const { states, views, path } = attempt;
  const furthest = states.findLastIndex(hasLeft);
  const lastHop = furthest < 0 ? null : views[furthest].name;
  const stepped = attempt.steppedAt(attempt.sentNs, attempt.deadlineNs);
  const open = (reason: string): Ruling => ({
    outcome: 'inconclusive',
    lastHop,
    lostAt: null,
    late: false,
    reason: () => (stepped === null ? reason : `${reason}; ${stepped.words}`),
  });
  const next = states[furthest + 1];
  const nextName = furthest + 1 < views.length ? views[furthest + 1].name : 'agent';

  if (furthest >= 0 && states[furthest].state === 'unobserved')
    return open(`it left ${lastHop}; ${states[furthest].reason}`);
  if (furthest >= 0 && (states[furthest].state === 'sent-unacked' || onlySacked(attempt, furthest)))
    return judgeUnacked(attempt, furthest, open);
  if (next === undefined) return judgeArrived(attempt, furthest, open);
  const between = attempt.uncaptured[furthest + 1] ?? null;
  if (between !== null && furthest >= 0 && next.state !== 'unobserved')
    return open(
      `it left ${lastHop} and was TCP-ACKed by ${between}, which is not ${nextName}: a capture there would settle it (name all hops with --path)`,
    );

  if (next.state === 'partial') {
    const short = coverageShort(attempt, furthest + 1);
    if (short !== null) return open(`${next.reason}, but ${short}`);
    const beyond = furthest + 2 < views.length ? views[furthest + 2].name : 'agent';
    const blocked = blockedAt(attempt, furthest + 1, next.sentNs);
    if (typeof blocked === 'string') return open(`${next.reason}; ${blocked}`);
    const lostAt = blocked === null ? nextName : `${nextName}->${beyond}`;
    const why = blocked === null ? 'and TCP did not hold it back: the write stopped half way' : heldBack(blocked.kind);
    return { outcome: 'stalled', lastHop, lostAt, late: false, reason: () => `${next.reason}; ${why}` };
  }
  if (next.state === 'unobserved')
    return open(furthest < 0 ? `${next.reason}` : `it left ${lastHop} and arrived at ${nextName}; ${next.reason}`);
  // absent at the next hop
  if (furthest < 0) return open(`no octet of it left ${nextName}, though other hops tell of it`);
  const short = coverageShort(attempt, furthest) ?? coverageShort(attempt, furthest + 1);
  if (short !== null) return open(`it arrived at ${nextName} and was not seen leaving it, but ${short}`);
  const arrivedNs = states[furthest].tcpAckNs;
  // An ACK that came after the deadline, or that the capture missed until then, does not say when it arrived.
  const inTime = arrivedNs < attempt.deadlineNs;
  const blocked = blockedAt(attempt, furthest + 1, inTime ? arrivedNs : states[furthest].sentNs);
  if (typeof blocked === 'string') return open(`it arrived at ${nextName}; ${blocked}`);
  if (blocked === null && !inTime)
    return open(
      `it was TCP-ACKed by ${nextName} only after the deadline, so whether it could be forwarded is not known`,
    );
  const arrived = `arrived at ${nextName} (TCP-ACKed${afterHowLong(states[furthest])})`;
  if (blocked !== null) {
    const beyond = furthest + 2 < views.length ? views[furthest + 2].name : 'agent';
    return {
      outcome: 'stalled',
      lastHop,
      lostAt: `${nextName}->${beyond}`,
      late: false,
      reason: () => `${arrived} and never left it: ${heldBack(blocked.kind)}`,
    };
  }
  const leg = path.legs[furthest + 1];
  const whole = leg === null ? '' : `, though ${nextName}'s own leg is captured without a gap`;
  return {
    outcome: 'not-forwarded',
    lastHop,
    lostAt: nextName,
    late: false,
    reason: () => `${arrived} and never left it within ${seconds(attempt.ackTimeoutNs)}${whole}`,
  };
}

/** SACKed behind a hole that was never filled: the other side's kernel holds it, its process never got it (RFC 2018 section 8). */
function onlySacked(attempt: Attempt, hop: number): boolean {
  const leg = attempt.path.legs[hop];
  const observation = attempt.views[hop].observation;
  if (leg === null || observation === null || attempt.states[hop].row < 0) return false;
  return leg.connection.fromServer.ackedTo < observation.messages.endOffset[attempt.states[hop].row];
}

/** Sent by the hop, never TCP-ACKed by the next one. */
function judgeUnacked(attempt: Attempt, hop: number, open: (reason: string) => Ruling): Ruling {
  const { views, states, path } = attempt;
  const nextName = hop + 1 < views.length ? views[hop + 1].name : (attempt.goesOnTo ?? 'agent');
  const short = coverageShort(attempt, hop);
  if (short !== null) return open(`it left ${views[hop].name} and was not TCP-ACKed yet, but ${short}`);
  const leg = path.legs[hop];
  const half = leg?.connection.fromServer;
  const observation = views[hop].observation;
  if (half === undefined || observation === null) return open('no leg');
  const { row } = states[hop];
  const resent = observation.messages.retransmissions[row];
  const judged = blockedAt(attempt, hop, states[hop].sentNs);
  const blocked = typeof judged === 'string' ? null : judged;
  const sentNs = observation.messages.sentNs[row];
  if (half.resetTo >= observation.messages.endOffset[row])
    return open(
      `it left ${views[hop].name}, and the other end reset the connection before a TCP ACK came; by the RST's own ACK number the octets had arrived, whoever sent it`,
    );
  // Whatever the other side sent after it, to the connection's end, did not cover it.
  const refused = leg?.connection.closedBy != null && leg.connection.fromClient.lastSeenNs > sentNs;
  if (!isSentAgain(half, observation.messages, row) && !refused && blocked?.kind !== 'window-closed')
    return open(
      `it left ${views[hop].name}; no TCP ACK was captured, but it was not sent again either, so the capture may have missed the TCP ACK`,
    );
  const sacked = states[hop].state === 'tcp-acked' ? ', SACKed behind octets that never got through' : '';
  const how =
    resent > 0
      ? `sent again ${resent} time${resent === 1 ? '' : 's'}`
      : blocked?.kind === 'window-closed'
        ? "behind the receiver's closed TCP window"
        : 'behind octets that were sent again in vain';
  return {
    outcome: 'stalled',
    lastHop: views[hop].name,
    lostAt: `${views[hop].name}->${nextName}`,
    late: false,
    reason: () =>
      sacked === ''
        ? `left ${views[hop].name}, ${how}, never TCP-ACKed by ${nextName === 'agent' ? 'the agent' : nextName}`
        : `left ${views[hop].name}${sacked}`,
  };
}

/** TCP-ACKed from beyond the outermost hop, and no CommandAck seen anywhere. */
function judgeArrived(attempt: Attempt, hop: number, open: (reason: string) => Ruling): Ruling {
  const { views, states, path } = attempt;
  const view = views[hop];
  if (attempt.goesOnTo !== null) {
    const isKnown = attempt.takenForAgent === null || path.beyond !== null;
    const ground =
      attempt.goesOnBecause ?? 'a captured connection further out, which carries the same messages, ends there';
    const why = (isKnown ? null : attempt.mayBeProxy()) ?? `which is not the agent, since ${ground}`;
    return open(
      `it left ${view.name} and was TCP-ACKed by ${attempt.goesOnTo}, ${why}: a capture at ${attempt.goesOnTo} would settle it`,
    );
  }
  const short = coverageShort(attempt, hop);
  if (short !== null) return open(`it left ${view.name} and was TCP-ACKed; no CommandAck yet, but ${short}`);
  const leg = path.legs[hop];
  if (leg === null || view.observation === null) return open('no leg');
  const window = { fromNs: states[hop].sentNs, toNs: deadlineAt(attempt, hop) };
  const stretch = view.clock === null ? window : localStretch(view, window);
  const known = knownAt(view, path, 'fromClient');
  const blind = blindnessOn(views, path, hop, 'fromClient', stretch, known);
  if (blind !== null)
    return open(
      `it left ${view.name} and was TCP-ACKed; a CommandAck may have come unseen (in what the agent sends: ${blind})`,
    );
  const acked = afterHowLong(states[hop]);
  const heldNs = areComparable(attempt, hop) ? states[hop].sentNs - attempt.sentNs : 0;
  const held = heldNs > HELD_WORTH_SAYING_NS ? ` (${seconds(heldNs)} after it left ${views[0].name})` : '';
  const assumed =
    attempt.takenForAgent === null
      ? ''
      : ` (its opening was not captured, so ${attempt.takenForAgent} is taken for the agent's end: if it is a proxy, name it with --path)`;
  return {
    outcome: 'reached-agent',
    lastHop: view.name,
    lostAt: 'agent',
    late: false,
    reason: () =>
      `left ${view.name}${held} and was TCP-ACKed from the agent's end${acked}; no CommandAck within ${seconds(attempt.ackTimeoutNs)}${assumed}`,
  };
}

/** In words; of a message in a hole of the capture the moment at which it left is not known. */
function afterHowLong({ sentNs, tcpAckNs, ackedAtMost }: Judged): string {
  return Number.isNaN(sentNs) ? '' : ` after ${ackedAtMost ? 'at most ' : ''}${seconds(tcpAckNs - sentNs)}`;
}

/** Null if the hop's capture goes on to the deadline. */
function coverageShort(attempt: Attempt, hop: number): string | null {
  const view = attempt.views[hop];
  const { observation } = view;
  if (observation === null) return `no capture was given for ${view.name}`;
  const endNs = commonNs(view, observation.lastNs);
  // Also where the connection was closed before: the CommandAck may come on the agent's next one.
  const deadlineNs = deadlineAt(attempt, hop);
  if (endNs >= deadlineNs) return null;
  return `the capture of ${view.name} ends ${seconds(deadlineNs - endNs)} before the deadline`;
}

/** By a clock that cannot be set against the others': as long after it left this hop, which is no earlier than the deadline. */
function deadlineAt({ views, states, deadlineNs, ackTimeoutNs }: Attempt, hop: number): number {
  if (views[hop].clock !== null) return deadlineNs;
  return Number.isNaN(states[hop].sentNs) ? Number.POSITIVE_INFINITY : states[hop].sentNs + ackTimeoutNs;
}

/** When a capture that begins in mid-connection first shows the leg, if the receiver's window is closed there. */
function closedFromTheStart({ openedNs, firstNs, fromServer }: ObservedConnection): number | null {
  const first = fromServer.blocked.find(({ kind }) => kind === 'window-closed');
  if (first === undefined || !Number.isNaN(openedNs) || first.fromNs > firstNs + SOON_NS) return null;
  return first.fromNs;
}

/** A window is told by the TCP ACK of what probes it. */
const SOON_NS = 0.5e9;

/** Whether TCP held the hop's leg back all through the deadline; where that cannot be told, the reason. */
function blockedAt(attempt: Attempt, hop: number, fromNs: number): ReturnType<typeof blockedThrough> | string {
  const view = attempt.views[hop];
  const leg = attempt.path.legs[hop];
  if (leg === null) return null;
  const half = leg.connection.fromServer;
  const { deadlineNs } = attempt;
  const slack = Math.max(withinNs(view, fromNs), withinNs(view, deadlineNs));
  const local = { fromNs: localNs(view, fromNs), toNs: localNs(view, deadlineNs) };
  if (leg.connection.fromClient.packets === 0 && !isSentInVain(half, local.toNs + slack))
    return `the capture of ${view.name} holds one direction only, so whether TCP held it back there cannot be told`;
  // What is closed when the capture first shows the leg was closed before: nothing was sent meanwhile that could have filled it.
  const sinceNs = Math.max(local.fromNs + slack, closedFromTheStart(leg.connection) ?? Number.NEGATIVE_INFINITY);
  const certain = blockedThrough(half, { fromNs: sinceNs, toNs: local.toNs - slack });
  if (certain !== null) return certain;
  const wide = { fromNs: local.fromNs - slack, toNs: local.toNs + slack };
  const long = (local.toNs - local.fromNs) / 2;
  if (slack > CLOCK_TELLS_NS && half.blocked.some((each) => overlapNs(each, wide) > long))
    return `the clock of ${view.name} is not known well enough to tell whether TCP held it back there`;
  // The first of the octets that wait may have left long before the capture saw them for the first time: any loss counts.
  const lossy = view.observation === null ? null : lostAround(view.observation, Number.NEGATIVE_INFINITY, NEVER);
  if (lossy !== null && half.blocked.some((each) => overlapNs(each, wide) > 0))
    return `TCP held back what ${view.name} sends on at least for a part of the time, and ${lossy}`;
  // What waits to the end may have left long before the capture saw it again for the first time.
  if (lossy !== null && half.blocked.some(({ fromNs: sinceNs, toNs }) => toNs === NEVER && sinceNs > wide.fromNs))
    return `TCP may have held it back: what ${view.name} sent on later was never TCP-ACKed, and ${lossy}`;
  return null;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A clock known this well tells what was blocked when. */
const CLOCK_TELLS_NS = 0.25e9;

function overlapNs(a: { fromNs: number; toNs: number }, b: { fromNs: number; toNs: number }): number {
  return Math.min(a.toNs, b.toNs) - Math.max(a.fromNs, b.fromNs);
}

function heldBack(kind: 'unacked' | 'window-closed'): string {
  return kind === 'unacked'
    ? 'earlier octets on that leg were not TCP-ACKed all through the deadline, so TCP held it back'
    : "the receiver's TCP window was closed all through the deadline, so TCP held it back";
}
