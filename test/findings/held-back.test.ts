/** Commands that were asked for while the server's own connection could take nothing more: not never-sent for a reason of their own. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import type { Chain } from '../support/chain.js';
import { command, frame, ping } from '../support/frames.js';
import { agentOn, diagnosed, dispatch, pinged, Timeline, tapesOf } from './diagnosis.js';

const BACK_OFF_MS = [0, 220, 660, 1500, 3200, 6500, 13_000];
const FAILS_AT = 10_000;

/** Agent A's connection at origin dies at 10 s with a command on it; from 4 to 7 s it did not move either. B lives on. */
class Origin {
  private readonly made = tapesOf('origin');
  private readonly time = new Timeline();
  private a: Chain | null = null;

  constructor() {
    this.time.at(0, (ms) => {
      this.a = agentOn(this.made.tapes, 'A', ms, { agent: 1 });
    });
    this.time.at(500, (ms) => {
      const b = agentOn(this.made.tapes, 'B', ms, { agent: 2 });
      for (let each = 3000; each < 40_000; each += 2000) pinged(b, each);
    });
    for (const ms of [2000, 7500, 9000]) this.time.at(ms, () => pinged(this.chain, ms));
    this.time.at(4000, (ms) => {
      this.sends(ms, ping('late'), BACK_OFF_MS.slice(0, 4));
      this.chain.legs[0].segment(7000, 'client');
    });
    this.time.at(FAILS_AT, (ms) => this.sends(ms, frame(command('c-stuck')), BACK_OFF_MS));
  }

  private get chain(): Chain {
    if (this.a === null) throw new Error('A is not on yet');
    return this.a;
  }

  /** Again and again, without a TCP ACK. */
  private sends(atMs: number, data: Uint8Array, timesMs: readonly number[]): void {
    const [leg] = this.chain.legs;
    const at = leg.sent('server');
    for (const ms of timesMs) leg.segment(atMs + ms, 'server', { data, at });
  }

  asks(atMs: number, id: string): this {
    this.time.at(atMs, () => dispatch(this.made.tapes[0], atMs, 'A', id));
    return this;
  }

  async findings(): Promise<{ cause: Finding; notSent: string[] }> {
    this.time.play();
    const findings = await diagnosed(this.made.captures());
    const of = (id: string) => findings.filter((finding) => finding.id === id);
    return { cause: of('peer-unreachable')[0], notSent: of('commands-not-sent').flatMap(({ commands }) => commands) };
  }
}

describe('commands that wait behind what is not TCP-ACKed', () => {
  it('are counted with the cause, which is the finding', async () => {
    const { cause, notSent } = await new Origin().asks(12_000, 'c-1').asks(15_000, 'c-2').findings();
    expect(cause.summary).toContain('2 more commands wait behind that, unsent');
    expect(cause.commands.toSorted()).toEqual(['c-1', 'c-2', 'c-stuck']);
    expect(notSent).toEqual([]);
  });

  it('are those that were asked for just before, too', async () => {
    const { cause, notSent } = await new Origin().asks(9400, 'c-just-before').findings();
    expect(cause.summary).toContain('1 more command waits behind that, unsent');
    expect(notSent).toEqual([]);
  });

  it('are not those that were asked for while the connection moved', async () => {
    const { cause, notSent } = await new Origin().asks(2500, 'c-early').asks(8000, 'c-between').findings();
    expect(cause.commands).toEqual(['c-stuck']);
    expect(cause.summary).not.toContain('behind that');
    expect(notSent).toEqual(['c-early', 'c-between']);
  });
});
