/**
 * A WebSocket through several hops, each with a capture of its own leg: agent, outermost hop, ..., server. Proxies copy bytes after
 * the 101. Nothing of src/ is used. Times are milliseconds on the true clock; each hop adds half of one.
 */

import { Talk, type Tape } from './tape.js';
import { type HandshakeShape, upgradeRequest, upgradeResponse } from './web-socket-talk.js';

const STEP = 0.5;

export interface ChainShape extends HandshakeShape {
  /** Tells the ports and sequence numbers of one agent's legs from another's. */
  agent?: number;
  /** Address of the outermost leg's client. */
  address?: string;
  /** Time to Live of the outermost leg's client's packets. */
  hopLimit?: number;
  /** Lines of the request on the outermost leg only. */
  outermost?: string[];
}

export class Chain {
  /** From the server outward. */
  readonly legs: Talk[];

  constructor(
    readonly tapes: readonly Tape[],
    private readonly shape: ChainShape = {},
  ) {
    const { agent = 1, address = '203.0.113.7', hopLimit = 64 } = shape;
    this.legs = tapes.map(
      (tape, i) =>
        new Talk(tape, {
          server: `10.0.${i}.1`,
          serverPort: 3001 + i,
          client: i === tapes.length - 1 ? address : `10.0.${i + 1}.1`,
          clientPort: 40_000 + agent * 10 + i,
          clientIsn: agent * 100_000 + i * 1000 + 7,
          serverIsn: agent * 200_000 + i * 1000 + 9,
          hopLimits: i === tapes.length - 1 ? { client: hopLimit } : {},
        }),
    );
  }

  open(atMs: number): this {
    const last = this.legs.length - 1;
    this.legs.forEach((leg, i) => {
      leg.open(atMs + (last - i));
    });
    this.legs.forEach((leg, i) => {
      const forwarded = i === last ? (this.shape.outermost ?? []) : ['X-Forwarded-For: 203.0.113.7'];
      const request = [...(this.shape.request ?? []), ...forwarded];
      leg.send(atMs + 10 + (last - i) * STEP, 'client', upgradeRequest({ ...this.shape, request }));
    });
    this.legs.forEach((leg, i) => {
      leg.send(atMs + 20 + i * STEP, 'server', upgradeResponse(this.shape));
    });
    return this;
  }

  /** From the server over the first `legs` legs. Returns the data packets' numbers. */
  outward(atMs: number, bytes: Uint8Array, legs = this.legs.length): number[] {
    return this.legs.slice(0, legs).map((leg, i) => leg.send(atMs + i * STEP, 'server', bytes, 0.2));
  }

  /** From the agent inward, down to the leg with this index. */
  inward(atMs: number, bytes: Uint8Array, downTo = 0): number[] {
    const last = this.legs.length - 1;
    const numbers: number[] = [];
    for (let i = last; i >= downTo; i--) numbers[i] = this.legs[i].send(atMs + (last - i) * STEP, 'client', bytes, 0.2);
    return numbers;
  }
}
