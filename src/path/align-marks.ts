/**
 * Marks: places at which two streams are seen to carry the same message, and the distance of their offsets there. In: align.ts. Out:
 * the marks that can be believed, and the stretches between them in which the distance is proven.
 */

export interface Mark {
  /** Positions of the message's rows in the two halves; -1 for the end of the opening handshake. */
  inner: number;
  outer: number;
  /** Outer offset minus inner offset. */
  shift: number;
  /** Where it stands in the inner stream. */
  from: number;
  to: number;
}

/**
 * Octets [from, to) of the inner stream stand in the outer one at `shift` more: it is the same at both ends, so nothing was left out or put
 * in between them.
 */
export interface ProvenStretch {
  from: number;
  to: number;
  shift: number;
}

/** The longest run of pairs that keeps the order on both sides: a chance match of equal contents falls out. */
export function increasing(pairs: [number, number][]): [number, number][] {
  const tails: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  for (let i = 0; i < pairs.length; i++) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tails[middle]][0] < pairs[i][0]) low = middle + 1;
      else high = middle;
    }
    before[i] = low > 0 ? tails[low - 1] : -1;
    tails[low] = i;
  }
  const run: [number, number][] = [];
  for (let i = tails.length > 0 ? tails[tails.length - 1] : -1; i >= 0; i = before[i]) run.push(pairs[i]);
  return run.reverse();
}

/**
 * Without marks that are mistaken. Of a message that was offered twice one capture may have lost the first copy, another one the second: what is
 * left looks like one message. A distance that holds before and behind such a mark proves it wrong: no hop leaves octets out and puts as many in
 * again.
 */
export function settled(marks: readonly Mark[]): Mark[] {
  const counts = new Map<number, number>();
  for (const { shift } of marks) counts.set(shift, (counts.get(shift) ?? 0) + 1);
  let best = 0;
  let most = 1;
  for (const [shift, count] of counts) if (count > most) [best, most] = [shift, count];
  if (most < 2) return [...marks];
  const first = marks.findIndex(({ shift }) => shift === best);
  const last = marks.findLastIndex(({ shift }) => shift === best);
  const inside = marks.slice(first, last + 1).filter(({ shift }) => shift === best);
  return [...settled(marks.slice(0, first)), ...inside, ...settled(marks.slice(last + 1))];
}

/** In increasing order of offsets; neighbours of one distance are one stretch. */
export function provenBetween(marks: readonly Mark[]): ProvenStretch[] {
  const stretches: ProvenStretch[] = [];
  for (let m = 1; m < marks.length; m++) {
    const [before, mark] = [marks[m - 1], marks[m]];
    if (before.shift !== mark.shift) continue;
    const last = stretches.at(-1);
    if (last !== undefined && last.to === before.to && last.shift === mark.shift) last.to = mark.to;
    else stretches.push({ from: before.from, to: mark.to, shift: mark.shift });
  }
  return stretches;
}
