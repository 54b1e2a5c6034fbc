/** A duration for a sentence: three significant digits below a second, as the report's own figures have. In: nanoseconds. */
export function seconds(ns: number): string {
  const value = ns / 1e9;
  if (value >= 0.9995) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  const milliseconds = ns / 1e6;
  return `${milliseconds >= 100 ? milliseconds.toFixed(0) : Number(milliseconds.toPrecision(3))} ms`;
}
