/** A quiet day on three hops: one agent, one command that works, and Heartbeats before and after whatever a test adds. */

import { Chain, type ChainShape } from '../support/chain.js';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { Tape } from '../support/tape.js';

export const HOPS = ['origin', 'nginx', 'npm'];

export class Scene {
  readonly tapes: Tape[];
  readonly chain: Chain;

  constructor(
    readonly hops = HOPS,
    shape: ChainShape = {},
    skewMs: number[] = [],
  ) {
    this.tapes = hops.map((_, i) => new Tape(skewMs[i] ?? 0));
    this.chain = new Chain(this.tapes, shape).open(0);
    this.chain.inward(100, masked('{"type":"Authenticate","agent_id":"PST-SERVER"}'));
    this.chain.outward(120, frame('{"type":"AuthAck","ok":true}'));
    this.works(1000, 'c-ok');
  }

  get captures(): Record<string, Tape> {
    return Object.fromEntries(this.hops.map((hop, i) => [hop, this.tapes[i]]));
  }

  works(atMs: number, id: string): void {
    this.chain.outward(atMs, frame(command(id)));
    this.chain.inward(atMs + 40, masked(commandAck(id)));
  }

  /** Traffic both ways until the deadline is long over; on the legs up to this one only. */
  goOn(fromMs: number, toMs = fromMs + 30_000, legs = this.hops.length): this {
    for (let ms = fromMs; ms < toMs; ms += 5000) {
      this.beat(ms, legs);
    }
    return this;
  }

  private beat(ms: number, legs: number): void {
    const outside = this.chain.legs.length - 1;
    if (legs === this.chain.legs.length) {
      this.chain.outward(ms, ping(String(ms)));
      this.chain.inward(ms + 30, pong(String(ms)));
      this.chain.inward(ms + 100, masked(`{"type":"Heartbeat","at":${ms}}`));
      return;
    }
    for (let i = 0; i < legs; i++)
      this.chain.legs[i].send(ms + 100 + (outside - i), 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
  }
}
