/**
 * Everything else on the connection around the command: Pings with their Pongs, and other messages by type, never by content.
 * Each is one line at the hop that saw it first, saying how far it came. In: a path's threads. Out: moments.
 */

import { seconds } from '../../delivery/coverage.js';
import type { Sender } from '../../delivery/hop-state.js';
import { commonNs, type Path } from '../../path/path.js';
import { listed } from '../words.js';
import { nameOf } from './delivery-events.js';
import type { Moment, Stretch, Telling } from './telling.js';

const Opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function* contextEvents(telling: Telling, path: Path, stretch: Stretch): Generator<Moment> {
  for (const sender of ['fromServer', 'fromClient'] as const) {
    const threads = path[sender];
    for (let thread = 0; thread < threads.count; thread++) {
      if (telling.isTold(path, sender, thread)) continue;
      const moment = messageEvent(telling, path, sender, thread, stretch);
      if (moment !== null) yield moment;
    }
  }
}

function messageEvent(telling: Telling, path: Path, sender: Sender, thread: number, stretch: Stretch): Moment | null {
  const { views } = telling.court;
  const order = sender === 'fromServer' ? views : [...views].reverse();
  const seen = order.filter((view) => view.observation !== null && path[sender].row(thread, view.index) >= 0);
  const [first] = seen;
  if (first?.observation == null) return null;
  const row = path[sender].row(thread, first.index);
  const { messages, strings } = first.observation;
  const sentNs = commonNs(first, messages.sentNs[row]);
  if (!(sentNs >= stretch.fromNs && sentNs <= stretch.toNs)) return null;
  const opcode = messages.opcode[row];
  // A Pong is told with its Ping.
  if (opcode === Opcode.pong && messages.pair[row] >= 0) return null;
  const from = sender === 'fromServer' ? ('server' as const) : ('agent' as const);
  const passed = passedWords(
    seen.map(({ name }) => name),
    order.filter(({ observation, index }) => observation !== null && path.legs[index] !== null).map(({ name }) => name),
  );
  const refs = messages.dataRefs(row);
  if (opcode === Opcode.ping) {
    const { text, pongRef } = answered(telling, path, sender, thread);
    return telling.moment(
      first.index,
      messages.sentNs[row],
      'ping',
      `Ping from the ${from}${passed}, ${text}`,
      [...refs, pongRef],
      { path, from },
    );
  }
  const what =
    opcode === Opcode.text
      ? `${nameOf(strings, messages.type[row]) ?? 'a Text message'}${messages.id[row] >= 0 && isDelivery(telling, first.index, row) ? ' (another command)' : ''}`
      : opcode === Opcode.close
        ? 'Close'
        : opcode === Opcode.pong
          ? 'Pong without a Ping'
          : 'a Binary message';
  return telling.moment(
    first.index,
    messages.sentNs[row],
    'message',
    `${what} from the ${from}, ${messages.octets(row)} octets${passed}`,
    refs,
    { path, from },
  );
}

/** Where the Pong first came back to the hop that saw the Ping first. */
function answered({ court }: Telling, path: Path, sender: Sender, thread: number): { text: string; pongRef: number } {
  const order = sender === 'fromServer' ? court.views : [...court.views].reverse();
  for (const view of order) {
    const row = path[sender].row(thread, view.index);
    if (row < 0 || view.observation === null) continue;
    const { messages } = view.observation;
    const pong = messages.pair[row];
    if (pong < 0) {
      // A Pong may have been lost further in: then an outer hop has it.
      const outer = court.views.find(({ index, observation }) => {
        const there = path[sender].row(thread, index);
        return there >= 0 && observation !== null && observation.messages.pair[there] >= 0;
      });
      if (outer !== undefined)
        return { text: `answered as far as ${outer.name}, and no Pong at ${view.name}`, pongRef: 0 };
      return {
        text: Number.isNaN(messages.tcpAckNs[row]) ? 'not TCP-ACKed, no Pong' : 'TCP-ACKed, no Pong',
        pongRef: 0,
      };
    }
    return {
      text: `Pong after ${seconds(messages.sentNs[pong] - messages.sentNs[row])}`,
      pongRef: messages.firstRef[pong],
    };
  }
  return { text: 'no Pong', pongRef: 0 };
}

/** A command, CommandAck or result, of whichever command. */
function isDelivery({ court }: Telling, hop: number, row: number): boolean {
  const { observation } = court.views[hop];
  const id = observation === null ? '' : observation.strings.text(observation.messages.id[row]);
  return court.log.idsStartingWith(id, 1)[0] === id;
}

/** Empty where every hop that has the connection saw it. */
function passedWords(seen: readonly string[], all: readonly string[]): string {
  const missing = all.filter((name) => !seen.includes(name));
  return missing.length === 0 ? '' : ` (seen at ${listed(seen)}, not at ${listed(missing)})`;
}
