/**
 * Columns of numbers that grow: what tables are made of that hold hundreds of thousands of rows. In: a full column. Out: a longer one.
 */

type Column = Int32Array | Uint32Array | Uint16Array | Uint8Array | Float64Array;

/** `into`, which begins with all of `from`. */
export function copied<T extends Column>(from: Column, into: T): T {
  into.set(from);
  return into;
}
