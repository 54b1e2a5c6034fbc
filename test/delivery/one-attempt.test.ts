/** A command seen on legs that cannot be linked: how many attempts that makes, and what is said of each. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';

const text = (id = 'c-1') => frame(command(id));

/** Two captures that begin in mid-connection, and hardly anything passes. */
class Lone {
  readonly tapes = { origin: new Tape(), npm: new Tape() };
  readonly origin = new Talk(this.tapes.origin, { server: '10.0.0.1', client: '10.0.1.1', clientPort: 41_000 });
  readonly npm = new Talk(this.tapes.npm, { server: '10.0.1.1', client: '203.0.113.7', clientPort: 42_000 });

  constructor() {
    // Other octets on each leg: each was read as WebSocket for a reason of its own.
    for (const at of [10, 20, 30]) {
      this.origin.send(at, 'client', masked(`{"type":"Pulse","side":"a","at":${at}}`));
      this.npm.send(at, 'client', masked(`{"type":"Pulse","side":"b","at":${at}}`));
    }
  }

  /** On one leg. */
  sent(hop: 'origin' | 'npm', atMs: number, id = 'c-1'): this {
    this[hop].send(atMs, 'server', text(id));
    return this;
  }

  hear() {
    for (const leg of [this.origin, this.npm]) leg.send(60_000, 'client', masked('{"type":"Pulse","at":60000}'));
    return hear(this.tapes);
  }
}

describe('a command on two legs that could not be linked', () => {
  it('is one attempt, and its reason says that the legs are not linked', async () => {
    const { commands } = await new Lone().sent('origin', 1000).sent('npm', 1002).hear();
    expect(commands).toHaveLength(1);
    const [{ attempts, reason }] = commands;
    expect(attempts).toHaveLength(1);
    expect(attempts[0].hops.map(({ packets }) => packets.length)).toEqual([1, 1]);
    expect(attempts[0].hops.map(({ grade }) => grade)).toContain('inferred');
    expect(reason).toContain('could not be linked');
    expect(reason).toContain('captures that hold the opening of both would link them');
  });

  it('is as many as left the server, also where less of them is seen further out', async () => {
    const lone = new Lone().sent('origin', 1000).sent('origin', 6000).sent('npm', 6002);
    const [{ attempts }] = (await lone.hear()).commands;
    expect(attempts).toHaveLength(2);
  });

  it('is two where the agents on the two legs name themselves differently', async () => {
    const lone = new Lone().sent('origin', 1000).sent('npm', 1002);
    lone.origin.send(500, 'client', masked('{"type":"Authenticate","agent_id":"PC-A"}'));
    lone.npm.send(500, 'client', masked('{"type":"Authenticate","agent_id":"PC-B"}'));
    const [{ attempts }] = (await lone.hear()).commands;
    expect(attempts).toHaveLength(2);
  });

  it('is one attempt, too, where an answer was seen on one of them', async () => {
    const lone = new Lone().sent('origin', 1000).sent('npm', 1002);
    lone.origin.send(1050, 'client', masked(commandAck('c-1')));
    const [{ attempts }] = (await lone.hear()).commands;
    expect(attempts).toHaveLength(1);
    expect(attempts[0].commandAck).not.toBeNull();
  });
});
