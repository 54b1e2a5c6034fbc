/** A mirror of a firewall's ports: one connection with the addresses of either side, and with those of one direction only. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const BEHIND = { server: '10.30.0.20', serverPort: 80, client: '192.168.11.21', clientPort: 41_000 };
/** As the server's packets come in, and as the client's do. */
const FROM_SERVER = { ...BEHIND, client: '198.51.100.11' };
const FROM_CLIENT = { ...BEHIND, server: '203.0.113.10' };

/** `dropped`: what the client sends at 2.05 s comes in and does not go out. */
function mirrored(dropped = false): Tape {
  const both = new Tape();
  const one = new Tape();
  const talk = new Talk(both, BEHIND);
  const [server, client] = [new Talk(one, FROM_SERVER), new Talk(one, FROM_CLIENT)];
  for (const each of [talk, server, client]) each.open(0);
  const say = (ms: number, from: 'client' | 'server', data: Uint8Array, isDropped = false) => {
    for (const each of [server, client]) each.send(ms - 0.01, from, data);
    if (!isDropped) talk.send(ms, from, data);
  };
  say(10, 'client', upgradeRequest());
  say(20, 'server', upgradeResponse());
  say(1000, 'server', frame(command('c-1')));
  say(1050, 'client', masked(commandAck('c-1')));
  say(2000, 'server', frame(command('c-2')));
  if (dropped) say(2050, 'client', masked(commandAck('c-2')), true);
  say(3000, 'server', frame(command('c-3')));
  const tape = new Tape();
  // Of each one-way view the one direction only.
  const isOfView = (bytes: Uint8Array) => (bytes[26] === 10 ? bytes[30] === 198 : bytes[30] === 203);
  tape.packets.push(...both.packets, ...one.packets.filter(({ bytes }) => isOfView(bytes)));
  tape.packets.sort((a, b) => a.atMs - b.atMs);
  new Talk(tape, { server: '10.0.0.9', client: '10.0.0.8' }).open(19_000);
  return tape;
}

describe('views of one direction', () => {
  it('lack no octets that another view of the connection holds', () => {
    const { observation } = observe(mirrored());
    expect(observation.connections.map((each) => each.protocol === 'websocket')).toContain(true);
    expect(observation.missedOctets).toBe(0);
    expect(
      observation.connections.flatMap(({ fromClient, fromServer }) => [fromClient.gaps, fromServer.gaps]).flat(),
    ).toEqual([]);
  });

  it('tell of octets that were dropped in between: nothing is absent for want of them', async () => {
    const { of } = await hear({ npm: mirrored(true) }, { ackTimeoutMs: 3000 });
    expect(of('c-1').outcome).toBe('delivered');
    expect(of('c-2').outcome).toBe('inconclusive');
    expect(of('c-2').reason).toContain('octets more of this direction stand in the capture with other addresses');
  });

  it('leave what was not dropped decided', async () => {
    const { of } = await hear({ npm: mirrored() }, { ackTimeoutMs: 3000 });
    expect(of('c-2')).toMatchObject({ outcome: 'reached-agent', lostAt: 'agent' });
  });
});
