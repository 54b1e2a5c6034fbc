/** CommandAcks that a hop sends inward again and again in vain, as its own capture of its inner connection shows. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/delivery/verdict.js';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { citedOf, judged } from './diagnosis.js';

const BACK_OFF_MS = [0, 220, 660, 1500, 3200, 6500, 13_000];

/** What is captured at both ends of a leg, but for what is lost on its way inward. */
class BothEnds extends Tape {
  lossy = false;

  constructor(
    private readonly inner: Tape,
    private readonly outer: Tape,
  ) {
    super();
  }

  override add(atMs: number, bytes: Uint8Array, wireLength = bytes.length): number {
    if (!this.lossy) this.inner.add(atMs + 0.1, bytes, wireLength);
    return this.outer.add(atMs, bytes, wireLength);
  }
}

class Case {
  private readonly origin = new Tape();
  private readonly npm = new Tape();
  private readonly between = new BothEnds(this.origin, this.npm);
  private readonly chain = new Chain([this.between, this.npm]).open(0);

  constructor() {
    this.chain.inward(100, masked('{"type":"Authenticate","agent_id":"PST-SERVER"}'));
    this.chain.outward(1000, frame(command('c-ok')));
    this.chain.inward(1040, masked(commandAck('c-ok')));
    this.chain.outward(5000, frame(command('c-lost')));
  }

  /** The CommandAck comes to npm, which sends it on as often as it says. Returns the packets at npm. */
  answer(times: readonly number[]): number[] {
    const data = masked(commandAck('c-lost'));
    const [inner, outer] = this.chain.legs;
    outer.send(5040, 'client', data);
    const at = inner.sent('client');
    this.between.lossy = true;
    const sent = times.map((ms) => inner.segment(5041 + ms, 'client', { data, at, acked: inner.sent('server') }));
    this.between.lossy = false;
    return sent;
  }

  /** What was lost comes through after all. */
  comesThrough(atMs: number): void {
    const [inner] = this.chain.legs;
    const data = masked(commandAck('c-lost'));
    inner.segment(atMs, 'client', { data, at: inner.sent('client') - data.length });
    inner.segment(atMs + 0.3, 'server');
  }

  verdict(): Promise<Verdict> {
    // Outward all is well to the end, on the inner leg without a TCP ACK for what is lost.
    const [inner, outer] = this.chain.legs;
    for (let ms = 20_000; ms < 40_000; ms += 5000) {
      outer.send(ms, 'server', ping(String(ms)));
      outer.send(ms + 20, 'client', pong(String(ms)));
      inner.segment(ms, 'client');
    }
    return judged({ origin: this.origin, npm: this.npm });
  }
}

const unreachable = ({ findings }: Verdict) => findings.filter(({ id }) => id === 'peer-unreachable');

describe('peer-unreachable, towards the server', () => {
  it('is found where an answer is sent again and again and never TCP-ACKed', async () => {
    const lost = new Case();
    const sent = lost.answer(BACK_OFF_MS);
    const verdict = await lost.verdict();
    expect([...verdict.commands].map(({ id, outcome, lostAt }) => [id, outcome, lostAt])).toContainEqual([
      'c-lost',
      'ack-lost',
      'origin->npm',
    ]);
    const [finding, ...more] = unreachable(verdict);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'error', agents: ['PST-SERVER'], commands: ['c-lost'] });
    expect(finding.summary).toContain('What npm sends on to origin');
    expect(citedOf(finding, 'npm.pcap')).toEqual(sent);
  });

  it('is not found where a retransmission comes through', async () => {
    const late = new Case();
    late.answer(BACK_OFF_MS.slice(0, 3));
    late.comesThrough(6600);
    const verdict = await late.verdict();
    expect([...verdict.commands].every(({ outcome }) => outcome === 'delivered')).toBe(true);
    expect(unreachable(verdict)).toEqual([]);
  });

  it('is not found by a single retransmission: the capture may have missed what answered it', async () => {
    const once = new Case();
    once.answer(BACK_OFF_MS.slice(0, 2));
    expect(unreachable(await once.verdict())).toEqual([]);
  });
});
