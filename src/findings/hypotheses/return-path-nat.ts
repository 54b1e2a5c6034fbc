/** return-path-nat: whether what the server sends comes from the address that the agent connected to (several WANs, wrong outbound NAT). */

import { divertedTo, movedTo } from '../../delivery/diverted.js';
import { endpoint } from '../../hop/list.js';
import type { HopObservation } from '../../hop/observation.js';
import { localNs } from '../../path/path.js';
import { clockTime } from '../cite.js';
import { agentLeg } from '../facts.js';
import { mismatches } from '../reply-address-mismatch.js';
import { neverAcked } from '../tcp-waits.js';
import { counted } from '../words.js';
import { type Conclusion, isInside, nextCapture, open, type Question, ruledOut, supported } from './rule.js';
import { lostElsewhere, packets } from './words.js';

export function returnPathNat(question: Question): Conclusion {
  const { facts, each } = question;
  const legs = each.paths.map((path) => agentLeg(facts, path)).filter((leg) => leg !== null);
  const moved = legs.find(({ hop, connection }) => {
    const { observation } = facts.views[hop];
    return observation !== null && divertedTo(observation, connection) !== null;
  });
  const on =
    moved === undefined ? null : divertedTo(facts.views[moved.hop].observation as HopObservation, moved.connection);
  if (moved !== undefined && on !== null)
    return supported(
      `what ${facts.views[moved.hop].name} sends to ${moved.connection.clientAddress} leaves from ${endpoint(on.serverAddress, on.serverPort)} instead of ${endpoint(moved.connection.serverAddress, moved.connection.serverPort)} from ${clockTime(facts.views[moved.hop], on.firstNs)} on (${packets(facts, moved.hop, [...(on.fromServer.unacked?.refs ?? []), on.closedRef])})`,
    );
  for (const { hop, connection } of legs) {
    const { observation } = facts.views[hop];
    const from = observation === null ? null : movedTo(observation, connection);
    if (from === null) continue;
    return supported(
      `the agent's segments come from ${endpoint(from.clientAddress, from.clientPort)} instead of ${endpoint(connection.clientAddress, connection.clientPort)} from ${clockTime(facts.views[hop], from.firstNs)} on${from.closedFrom === 'server' ? `, and ${facts.views[hop].name} resets them` : ''} (${packets(facts, hop, [...(from.fromClient.unacked?.refs ?? []), from.closedRef])}): its address changed in mid-connection (NAT, another WAN)`,
    );
  }
  // An old TCP ACK says nothing of the time in question: packets of the agent must have come since.
  const proving = legs.find(
    ({ hop, connection }) =>
      connection.fromServer.ackedTo > 0 &&
      connection.fromClient.lastSeenNs >= localNs(facts.views[hop], each.firstFailedNs),
  );
  const addresses = new Set(legs.map(({ connection }) => connection.clientAddress));
  const other = otherAddress(question, addresses);
  // Of an address that several agents share, one may be answered well and another not.
  if (other !== null && proving === undefined && addresses.has(other.client)) return supported(other.text);
  if (other !== null && legs.length === 0)
    return open(
      `${other.text}; whether that is this agent cannot be seen, as it never came to say its name: compare the address`,
    );
  if (legs.length === 0)
    return each.paths.length > 0 && isInside(question)
      ? ruledOut(lostElsewhere(facts, each))
      : open(
          each.paths.length === 0
            ? "no connection of the agent was captured: a capture at the outermost hop and at the firewall's WAN sides while it connects"
            : `the leg to the agent was not captured: ${nextCapture(question)}`,
        );
  const dead = legs.find((leg) => neverAcked(leg) !== null);
  if (dead !== undefined) {
    const { fromClient, fromServer } = dead.connection;
    const wait = neverAcked(dead);
    if (wait !== null && fromServer.unacked?.sackedOctets === 0) {
      const talks = fromClient.lastSeenNs > wait.fromNs + 1e9;
      return open(
        `what ${facts.views[dead.hop].name} sends is never TCP-ACKed${talks ? ' while packets of the agent still arrive, as with a wrong return path' : ', and nothing of the agent arrives'}: captures on the firewall's WAN sides would show from which address it leaves`,
      );
    }
  }
  if (proving === undefined)
    return open(`nothing of the agent came after the first command that failed: ${nextCapture(question)}`);
  const { connection } = proving;
  const answered = each.lives.reduce((sum, life) => sum + life.answered, 0);
  return ruledOut(
    `${endpoint(connection.clientAddress, connection.clientPort)} TCP-ACKs what ${endpoint(connection.serverAddress, connection.serverPort)} sends on the connection that it opened${answered > 0 ? `, and answered ${counted(answered, 'Ping')}` : ''}: replies reach it`,
  );
}

/** A connection that was answered from another address (reply-address-mismatch): one from these clients, else any. */
function otherAddress({ facts }: Question, clients: ReadonlySet<string>): { client: string; text: string } | null {
  const all = facts.views.flatMap((view) =>
    (view.observation === null ? [] : mismatches(view.observation)).map((pair) => ({ view, ...pair })),
  );
  const one = all.find(({ asked }) => clients.has(asked.clientAddress)) ?? all[0];
  if (one === undefined) return null;
  const { view, asked, answered } = one;
  const shown = packets(facts, view.index, [asked.openedRef, answered.openedRef]);
  const from = endpoint(answered.serverAddress, answered.serverPort);
  return {
    client: asked.clientAddress,
    text: `at ${view.name} ${asked.clientAddress} connected to ${endpoint(asked.serverAddress, asked.serverPort)} and was answered from ${from} (${shown})`,
  };
}
