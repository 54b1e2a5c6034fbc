/** How long a TCP ACK took, where the capture may have lost the first one. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { Scene } from './scene.js';

/** The capture misses the command's TCP ACK, and what a bystander said then; the next TCP ACK comes 2 s later. */
async function heard(lost: 'both' | 'bystander' | 'nothing') {
  const scene = new Scene(['origin']);
  const [leg] = scene.chain.legs;
  const { origin } = scene.captures;
  leg.segment(2000, 'server', { data: frame(command('c-1')) });
  const ack = leg.segment(2000.5, 'client');
  const other = new Talk(origin, { client: '203.0.113.99' }).open(1);
  other.send(100, 'client', masked(commandAck('x-1')));
  const said = other.send(2001, 'client', masked(commandAck('x-2')));
  other.send(3000, 'client', masked(commandAck('x-3')));
  scene.goOn(4000);
  const without = { both: [ack, said], bystander: [said], nothing: [] }[lost];
  const capture = origin.without(...without);
  capture.packets.sort((a, b) => a.atMs - b.atMs);
  return (await hear({ origin: capture })).of('c-1').attempts[0];
}

describe('the time that a TCP ACK took', () => {
  it('is stated where the capture is whole', async () => {
    const [origin] = (await heard('nothing')).hops;
    expect(origin).toMatchObject({ state: 'tcp-acked', tcpAckDelayMs: 0.5, reason: null });
  });

  it('is not known where the first TCP ACK may be among what the capture lost', async () => {
    const attempt = await heard('both');
    const [origin] = attempt.hops;
    expect(origin).toMatchObject({ state: 'tcp-acked', grade: 'measured', tcpAckDelayMs: null });
    expect(origin.tcpAckedAt).not.toBeNull();
    expect(origin.reason).toBe(
      'origin: TCP-ACKed at most 2.0 s after it left: the capture lost packets in between, and an earlier TCP ACK may be among them',
    );
    expect(attempt.reason).toContain("was TCP-ACKed from the agent's end after at most 2.0 s");
  });

  it('is stated where it came before anything was lost', async () => {
    const [origin] = (await heard('bystander')).hops;
    expect(origin).toMatchObject({ tcpAckDelayMs: 0.5, reason: null });
  });
});
