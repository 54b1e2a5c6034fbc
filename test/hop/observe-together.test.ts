/** Files of one hop that were captured at the same time say what one file of all their packets says. */

import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { type Heard, hear } from '../support/verdict.js';

/** By destination port: what goes to the leg's server, and what comes from it. */
function byDirection(tape: Tape, serverPort: number): [Tape, Tape] {
  const ways: [Tape, Tape] = [new Tape(), new Tape()];
  for (const packet of tape.packets) {
    const isInward = packet.bytes[36] * 256 + packet.bytes[37] === serverPort;
    ways[isInward ? 0 : 1].packets.push(packet);
  }
  return ways;
}

const told = ({ commands }: Heard) =>
  commands.map(({ id, outcome, lostAt, reason, attempts }) => ({
    id,
    outcome,
    lostAt,
    reason,
    states: attempts.map(({ hops }) => hops.map(({ state, tcpAckDelayMs }) => [state, tcpAckDelayMs])),
  }));

describe('a tcpdump for each direction', () => {
  it.each([0, 500])('is read as one, from %i ms on', async (fromMs) => {
    const scene = new Scene();
    const [origin, nginx, npm] = scene.chain.legs;
    // The agent is gone: what npm wrote is sent again, and c-2 waits in npm's kernel behind it.
    scene.chain.outward(3000, frame(command('c-1')), 2);
    const at = npm.sent('server');
    npm.segment(3001, 'server', { data: frame(command('c-1')) });
    for (const ms of [3300, 3900, 5100, 7500, 12_300, 21_900])
      npm.segment(ms, 'server', { at, data: frame(command('c-1')) });
    origin.send(4000, 'server', frame(command('c-2')), 0.1);
    nginx.send(4000.5, 'server', frame(command('c-2')), 0.1);
    scene.goOn(5000, 30_000, 2);
    const late = scene.tapes.map((tape) => tape.between(fromMs, 60_000));
    const whole = await hear({ origin: late[0], nginx: late[1], npm: late[2] });
    expect(told(whole).map(({ id, outcome, lostAt }) => [id, outcome, lostAt])).toEqual([
      ['c-ok', 'delivered', null],
      ['c-1', 'stalled', 'npm->agent'],
      ['c-2', 'stalled', 'npm->agent'],
    ]);
    const inTwo = await hear({ origin: late[0], nginx: late[1], npm: byDirection(late[2], 3003) });
    expect(told(inTwo)).toEqual(told(whole));
  });
});
