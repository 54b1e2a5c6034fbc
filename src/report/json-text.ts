/**
 * JSON text that is safe to look at in a terminal and never held as a whole. In: values. Out: json.ts and the lists.
 */

// Legal in JSON as they stand, but a terminal acts upon them, or an editor hides them: DEL, the C1 controls, line
// separators, directional and invisible characters. As escapes they mean the same to every reader of JSON.
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** A string or null, as jsonText would write it; quick for the plain ones that most are. */
export function quoted(text: string | null): string {
  if (text === null) return 'null';
  return PLAIN.test(text) ? `"${text}"` : jsonText(text);
}

/** One member whose value is an array, one element a line; a string is an element that is JSON already. */
export function* jsonArray(name: string, items: Iterable<unknown>, last = false): Generator<string> {
  let any = false;
  for (const item of items) {
    yield `${any ? ',\n' : `  "${name}": [\n`}    ${typeof item === 'string' ? item : jsonText(item)}`;
    any = true;
  }
  yield `${any ? '\n  ]' : `  "${name}": []`}${last ? '' : ','}\n`;
}

export function* mapped<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item);
}
