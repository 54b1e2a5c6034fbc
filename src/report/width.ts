/**
 * How much room text takes in a terminal, and how it is made to fit. In: text that printable.ts made safe.
 * Out: the terminal tables. Counts as cli-table3 does, so that both agree where a column ends.
 */

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NARROW_ONLY = /^[\x20-\x7e\u00a1-\u02ff…→✓✗◐·–—±×]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes that our own style put there take no room
const COLOUR = /\x1b\[[0-9;]*m/g;

export function columns(text: string): number {
  const bare = text.includes('\x1b') ? text.replace(COLOUR, '') : text;
  if (NARROW_ONLY.test(bare)) return bare.length;
  let total = 0;
  for (const character of bare) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0x300 && code <= 0x36f) continue;
    total += WIDE.test(character) ? 2 : 1;
  }
  return total;
}

export function padded(text: string, width: number, right = false): string {
  const space = ' '.repeat(Math.max(0, width - columns(text)));
  return right ? space + text : text + space;
}

function head(text: string, width: number): string {
  let kept = '';
  let room = width;
  for (const character of text) {
    room -= columns(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

function tail(text: string, width: number): string {
  const characters = [...text];
  let start = characters.length;
  let room = width;
  while (start > 0) {
    room -= columns(characters[start - 1] ?? '');
    if (room < 0) break;
    start -= 1;
  }
  return characters.slice(start).join('');
}

/** Keeps both ends: IDs made one after another differ at their end, random ones are known by their start. */
export function shortened(text: string, width: number, ellipsis: string, tailWidth?: number): string {
  if (columns(text) <= width) return text;
  const room = Math.max(0, width - columns(ellipsis));
  const last = Math.min(room, tailWidth ?? Math.floor(room / 2));
  return head(text, room - last) + ellipsis + tail(text, last);
}

/**
 * Shortens IDs to `width` so that no two of them look alike, or says that it cannot (null). One rule for all rows:
 * a column in which every ID is cut differently cannot be compared by eye.
 */
export function shortenedApart(
  ids: Iterable<string>,
  width: number,
  ellipsis: string,
): ((id: string) => string) | null {
  const all = new Set(ids);
  const room = width - columns(ellipsis);
  for (const tailWidth of new Set([Math.floor(room / 2), Math.ceil((room * 2) / 3), room - 2, room])) {
    if (tailWidth < 0) continue;
    const cut = (id: string) => shortened(id, width, ellipsis, tailWidth);
    const seen = new Set<string>();
    for (const id of all) seen.add(cut(id));
    if (seen.size === all.size) return cut;
  }
  return null;
}

/** Breaks at spaces; a word longer than the line is broken where the line ends. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(/\s+/)) {
    if (line !== '' && columns(line) + 1 + columns(word) <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (columns(word) > width) {
      const part = head(word, Math.max(1, width)) || word.slice(0, 1);
      lines.push(part);
      word = word.slice(part.length);
    }
    line = word;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

/** Joins parts into lines no wider than `width`, breaking only between parts. */
export function joined(parts: string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + columns(separator) + columns(part) <= width) {
      lines[lines.length - 1] = last + separator + part;
    } else if (columns(part) <= width) lines.push(part);
    else lines.push(...wrapped(part, width));
  }
  return lines;
}
