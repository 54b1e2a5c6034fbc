/**
 * Where octets of one message were lost, in words: between its sender and the place of capture, or past it. In: the row of a message at a hop.
 * Out: the reason of its state there; null where nothing of it was lost, or that cannot be told.
 */

import { mayHaveLost } from '../hop/loss-times.js';
import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { seconds } from './coverage.js';

type Loss = NonNullable<ObservedHalf['losses']>['list'][number];
type Fate = Loss['fate'];

/** Of a decrypted stream the places of octets in TCP are not kept. */
export function lossWords(
  hop: string,
  observation: HopObservation,
  connection: ObservedConnection,
  half: ObservedHalf,
  row: number,
): string | null {
  const { messages } = observation;
  if (half.losses === null || connection.tls !== null) return null;
  const [start, end] = [messages.startOffset[row], messages.endOffset[row]];
  if (!half.losses.list.some(({ from, to }) => from < end && to > start)) return null;
  const of = half.losses.list.filter(({ from, to }) => from < end && to > start);
  const parts = [
    beforeCapture(hop, observation, connection, half, withFate(of, 'lost-before-capture')),
    pastCapture(hop, withFate(of, 'retransmitted-after-capture')),
    afterTcpAck(hop, withFate(of, 'retransmitted-after-ack')),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `${hop}: ${parts.join('; ')}`;
}

function withFate(losses: readonly Loss[], fate: Fate): Loss[] {
  return losses.filter((each) => each.fate === fate);
}

function beforeCapture(
  hop: string,
  observation: HopObservation,
  { fromServer }: ObservedConnection,
  half: ObservedHalf,
  losses: readonly Loss[],
): string | null {
  if (losses.length === 0) return null;
  const sinceNs = Math.min(...losses.map((each) => each.sinceNs));
  const untilNs = Math.max(...losses.map((each) => each.timeNs));
  const sender = half === fromServer ? 'the sender' : "the agent's side";
  const later = `it was captured ${seconds(untilNs - sinceNs)} after what follows it`;
  if (mayHaveLost(observation, sinceNs, untilNs))
    return `its first copy is not in the capture: lost before ${hop}, or by the capture, which lost packets around that time; ${later}`;
  return `its first copy was lost between ${sender} and the capture of ${hop} (lost-before-capture); ${later}`;
}

function pastCapture(hop: string, losses: readonly Loss[]): string | null {
  if (losses.length === 0) return null;
  const again = losses.length === 1 ? 'sent again once' : `sent again ${losses.length} times`;
  return `captured at ${hop} and ${again} (retransmitted-after-capture): it, or its TCP ACK, was lost past ${hop}`;
}

function afterTcpAck(hop: string, losses: readonly Loss[]): string | null {
  if (losses.length === 0) return null;
  return `sent again though its TCP ACK was captured at ${hop}: without need, or that TCP ACK was lost on its way on`;
}
