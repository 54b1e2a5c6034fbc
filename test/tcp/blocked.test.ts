import { describe, expect, it } from 'vitest';
import { type BlockedInterval, BlockedTimer } from '../../src/tcp/blocked.js';

function timer(): { timer: BlockedTimer; into: BlockedInterval[] } {
  const of: { blocked: BlockedInterval[] } = { blocked: [] };
  return { timer: new BlockedTimer('unacked', of), into: of.blocked };
}

describe('BlockedTimer', () => {
  it('notes a wait of a second and more, with its packets', () => {
    const { timer: unacked, into } = timer();
    unacked.begin(1e9, 4);
    unacked.end(2e9, 9);
    expect(into).toEqual([{ kind: 'unacked', fromNs: 1e9, toNs: 2e9, ref: 4, endRef: 9 }]);
  });

  it('notes no shorter one', () => {
    const { timer: unacked, into } = timer();
    unacked.begin(1e9, 4);
    unacked.end(2e9 - 1, 9);
    unacked.end(9e9, 10);
    expect(into).toEqual([]);
  });

  it('counts from its first beginning, and from the last restart', () => {
    const { timer: unacked, into } = timer();
    unacked.begin(1e9, 1);
    unacked.begin(3e9, 2);
    unacked.end(4e9, 3);
    unacked.begin(5e9, 4);
    unacked.restart(7e9, 5);
    unacked.end(9e9, 6);
    expect(into.map(({ fromNs, toNs }) => [fromNs, toNs])).toEqual([
      [1e9, 4e9],
      [7e9, 9e9],
    ]);
  });

  it('leaves what never ended open, however short it was', () => {
    const { timer: unacked, into } = timer();
    unacked.begin(1e9, 4);
    unacked.finish();
    unacked.finish();
    expect(into).toEqual([{ kind: 'unacked', fromNs: 1e9, toNs: Number.POSITIVE_INFINITY, ref: 4, endRef: 0 }]);
  });

  it('is bounded', () => {
    const { timer: unacked, into } = timer();
    for (let i = 0; i < 2000; i++) {
      unacked.begin(i * 3e9, 1);
      unacked.end(i * 3e9 + 2e9, 2);
    }
    expect(into.length).toBe(512);
  });
});
