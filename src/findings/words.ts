/**
 * Counts and lists in sentences. In: rules. Out: text for an operator.
 */

const MOST_NAMES = 6;

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `A`, `A and B`, `A, B and C`, `A, B and 9 more`. */
export function listed(words: readonly string[]): string {
  const shown = words.length <= MOST_NAMES ? [...words] : [...words.slice(0, MOST_NAMES - 1)];
  if (shown.length < words.length) shown.push(`${words.length - shown.length} more`);
  if (shown.length <= 1) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** `PC-2` before `PC-10`. */
export function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
