/** Two connections of one WebSocket in one capture, the stamps of which are out of order by more than the proxy between them takes. */

import { describe, expect, it } from 'vitest';
import { orderInOneCapture } from '../../src/path/order-in-capture.js';
import { command, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

/** Outer and inner connection; `lateMs` of the inner one's SYN and of each of ten messages, as stamped. */
function order(synLateMs: number, lateMs: number[]) {
  const tape = new Tape();
  const outer = new Talk(tape, { server: '10.0.2.1', client: '203.0.113.7', clientPort: 40_001, clientIsn: 1 });
  const inner = new Talk(tape, { server: '10.0.0.1', client: '10.0.2.1', clientPort: 40_002, clientIsn: 2 });
  outer.open(6010 - synLateMs);
  inner.open(6010);
  for (const talk of [outer, inner]) {
    talk.send(6020, 'client', upgradeRequest());
    talk.send(6021, 'server', upgradeResponse());
  }
  lateMs.forEach((ms, i) => {
    const at = 6100 + i * 100;
    const data = i % 2 ? frame(command(`c-${i}`)) : masked(`{"type":"Heartbeat","at":${i}}`);
    (i % 2 ? inner : outer).send(at, i % 2 ? 'server' : 'client', data);
    (i % 2 ? outer : inner).send(at + ms, i % 2 ? 'server' : 'client', data);
  });
  tape.packets.sort((a, b) => a.atMs - b.atMs);
  const { connections, messages } = observe(tape).observation;
  const [a, b] = [40_001, 40_002].map((port) => connections.find(({ clientPort }) => clientPort === port));
  if (a === undefined || b === undefined) throw new Error('not both connections');
  return [orderInOneCapture(a, b, messages), orderInOneCapture(b, a, messages)];
}

const TEN = Array.from({ length: 10 }, () => 1);

describe('the order of two connections in one capture', () => {
  it('is told by when they were opened, and by which of them has a message first', () => {
    expect(order(1, TEN)).toEqual([
      { order: 1, sure: true },
      { order: -1, sure: true },
    ]);
  });

  it('is not sure where messages say otherwise', () => {
    expect(order(1, [1, -2, 1, -2, 1, -2, 1, 1, 1, 1])[0]).toEqual({ order: 1, sure: false });
  });

  it('is told by the messages where SYNs are stamped out of order', () => {
    expect(order(-3, TEN)[0]).toEqual({ order: 1, sure: true });
  });

  it('is sure where they were opened far apart', () => {
    expect(order(5000, [-2])[0]).toEqual({ order: 1, sure: true });
  });
});
