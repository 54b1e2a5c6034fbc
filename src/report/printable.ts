/**
 * Makes text that came from a capture safe to print: a hostile ID must not move the cursor, recolour the terminal,
 * reorder a line or fill the screen. In: IDs, agent names, types, file names, reasons. Out: every report format.
 */

// Controls (C0, DEL, C1), line and paragraph separators, directional and invisible format characters, tags, the byte
// order mark and lone surrogates: nothing in this set shows itself, and much of it changes what stands around it.
const UNSAFE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;
const NOT_ASCII = /[^\x20-\x7e]/gu;

/** `limit` is a bound on what one value may occupy, in UTF-16 units before escaping. */
export function printable(text: string, unicode = true, limit = 400): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  const cut = text.length > limit ? `${cutAt(text, limit)}${unicode ? '…' : '~'}` : text;
  const safe = cut.replace(UNSAFE, escaped);
  return unicode ? safe : safe.replace(NOT_ASCII, escaped);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Never between the halves of a surrogate pair: half a character would print as rubbish. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** For HTML and XML text and quoted attributes. */
export function markup(text: string, limit = 400): string {
  return printable(text, true, limit)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** For Markdown text and table cells: plain words stay as they are, anything that could be syntax is escaped. */
export function markdown(text: string, limit = 400): string {
  return printable(text, true, limit)
    .replace(/[\\`*_[\]<>|~&]/g, '\\$&')
    .replace(/^(\s*)([-+=#])/, '$1\\$2')
    .replace(/^(\s*\d+)([.)]\s)/, '$1\\$2')
    .replace(/(https?|ftp):\/\/|www\./gi, (match) => match.replace(/[:.]/, '\\$&'));
}

/** Code spans know no escapes, so only text that needs none goes into one. */
export function markdownCode(text: string, limit = 400): string {
  return /^[\w.:/@ -]+$/.test(text) && text.length <= limit ? `\`${text}\`` : markdown(text, limit);
}
