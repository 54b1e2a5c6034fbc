/** Short times in sentences, where the first digits tell: 0.2 ms, 41 ms. In: nanoseconds. */
export function duration(ns: number): string {
  const value = ns / 1e6;
  if (value < 0.1) return '0.1 ms';
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}
