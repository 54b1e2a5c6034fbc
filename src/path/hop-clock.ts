/**
 * A hop's clock against the first hop's: which common time a time of its capture is, and the other way round. In: clocks.ts makes it, in
 * pieces where the clock was stepped or drifts. Out: path.ts for whoever compares times of two hops, or of one hop over a step.
 */

/** Holds for the capture's times from `fromNs`, and common times from `fromCommonNs`, to the next piece's. */
export interface ClockPiece {
  fromNs: number;
  fromCommonNs: number;
  /** Capture's time minus common time. */
  offsetNs: number;
  uncertaintyNs: number;
  /** Between two others: the one holds, or the other. */
  between?: boolean;
}

/** The clock went forward (or, negative, back) by `stepNs` between two moments of the capture's own time. */
export interface ClockStep {
  fromNs: number;
  toNs: number;
  stepNs: number;
}

const EVER = { fromNs: Number.NEGATIVE_INFINITY, fromCommonNs: Number.NEGATIVE_INFINITY };

export class HopClock {
  private readonly main: ClockPiece;

  constructor(
    readonly pieces: readonly ClockPiece[],
    /** False where messages contradict every offset, piece by piece too. */
    readonly steady = true,
    /** As other hops' captures tell; it may be theirs. */
    readonly relativeSteps: readonly ClockStep[] = [],
    /** The most that the offset changed otherwise over the capture, nanoseconds. */
    readonly driftNs = 0,
    /** As senders' clocks in the same capture tell: its own for certain. */
    readonly ownSteps: readonly ClockStep[] = [],
  ) {
    this.main = longest(pieces);
  }

  static constant(offsetNs: number, uncertaintyNs: number, steady = true): HopClock {
    return new HopClock([{ ...EVER, offsetNs, uncertaintyNs }], steady);
  }

  /** Of the piece that holds longest. */
  get offsetNs(): number {
    return this.main.offsetNs;
  }

  get uncertaintyNs(): number {
    return this.main.uncertaintyNs;
  }

  /** How far a time may be off, but where the clock was just being set. */
  get withinNs(): number {
    return Math.max(0, ...this.pieces.filter(({ between }) => !between).map(({ uncertaintyNs }) => uncertaintyNs));
  }

  toCommon(timeNs: number): number {
    return timeNs - this.pieceAt(timeNs).offsetNs;
  }

  toLocal(commonNs: number): number {
    const at = this.atCommon(commonNs);
    const timeNs = commonNs + this.pieces[at].offsetNs;
    return at + 1 < this.pieces.length ? Math.min(timeNs, this.pieces[at + 1].fromNs) : timeNs;
  }

  uncertaintyAt(commonNs: number): number {
    return this.pieces[this.atCommon(commonNs)].uncertaintyNs;
  }

  pieceAt(timeNs: number): ClockPiece {
    return this.pieces[this.at(timeNs)];
  }

  private at(timeNs: number): number {
    let at = 0;
    while (at + 1 < this.pieces.length && this.pieces[at + 1].fromNs <= timeNs) at++;
    return at;
  }

  private atCommon(commonNs: number): number {
    let at = 0;
    while (at + 1 < this.pieces.length && this.pieces[at + 1].fromCommonNs <= commonNs) at++;
    return at;
  }
}

function longest(pieces: readonly ClockPiece[]): ClockPiece {
  if (pieces.length === 1) return pieces[0];
  let best = pieces[0];
  let lengthNs = Number.NEGATIVE_INFINITY;
  // The first and the last have no end of their own.
  const lengthOf = (i: number) => (i === 0 ? 0 : (pieces[i + 1]?.fromNs ?? pieces[i].fromNs) - pieces[i].fromNs);
  pieces.forEach((piece, i) => {
    if (piece.between || lengthOf(i) <= lengthNs) return;
    best = piece;
    lengthNs = lengthOf(i);
  });
  return best;
}

/** A clock that says of itself when it was set forward, as another clock in its capture tells (steps in order). */
export function ownClock(steps: readonly ClockStep[]): HopClock {
  const pieces: ClockPiece[] = [{ ...EVER, offsetNs: 0, uncertaintyNs: 0 }];
  let offsetNs = 0;
  for (const { toNs, stepNs } of steps) {
    offsetNs += stepNs;
    pieces.push({ fromNs: toNs, fromCommonNs: toNs - offsetNs, offsetNs, uncertaintyNs: 0 });
  }
  return new HopClock(pieces, true, [], 0, steps);
}

/** Capture's time to its own steady time by `own`, then to common time by `relative`, whose pieces are in steady time. */
export function composed(own: HopClock, relative: HopClock): HopClock {
  if (own.pieces.length === 1) return relative;
  const inSteady = [
    ...own.pieces.map(({ fromCommonNs }) => fromCommonNs),
    ...relative.pieces.map(({ fromNs }) => fromNs),
  ];
  const pieces = [...new Set(inSteady)]
    .sort((a, b) => a - b)
    .map((steadyNs): ClockPiece => {
      const piece = relative.pieceAt(steadyNs);
      const fromNs = own.toLocal(steadyNs);
      const fromCommonNs = piece.fromNs === steadyNs ? piece.fromCommonNs : steadyNs - piece.offsetNs;
      return { ...piece, fromNs, fromCommonNs, offsetNs: own.pieceAt(fromNs).offsetNs + piece.offsetNs };
    });
  const steps = relative.relativeSteps.map(({ fromNs, toNs, stepNs }) => ({
    fromNs: own.toLocal(fromNs),
    toNs: own.toLocal(toNs),
    stepNs,
  }));
  return new HopClock(pieces, relative.steady, steps, relative.driftNs, own.ownSteps);
}
