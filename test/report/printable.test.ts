import { describe, expect, it } from 'vitest';
import { markdown, markdownCode, markup, printable } from '../../src/report/printable.js';

describe('printable', () => {
  it('leaves text alone, whatever its language', () => {
    for (const text of ['cmd-1', 'Zürich', '東京-07', 'C:\\agents\\a b', '🙂']) expect(printable(text)).toBe(text);
  });

  it.each([
    ['\x1b[2J', '\\x1b[2J'],
    ['a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
    ['\u009b31m', '\\x9b31m'],
    ['\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['\ud800x', '\\u{d800}x'],
    ['\u{e0041}', '\\u{e0041}'],
  ])('escapes %j', (text, safe) => expect(printable(text)).toBe(safe));

  it('bounds the length, and never cuts a character in two', () => {
    expect(printable('x'.repeat(1_000_000)).length).toBe(401);
    expect(printable('🙂🙂🙂', true, 3)).toBe('🙂…');
  });

  it('escapes all that is not ASCII where the terminal could not show it', () => {
    expect(printable('Zürich', false)).toBe('Z\\xfcrich');
  });
});

it('markup keeps text from becoming markup', () => {
  expect(markup('<img src=x onerror="a(\'b\')">&')).toBe('&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;');
});

describe('markdown', () => {
  it('escapes what could be syntax, pipes first of all', () => {
    expect(markdown('a|b')).toBe('a\\|b');
    expect(markdown('[x](http://evil) <b> `c` *d*')).toBe('\\[x\\](http\\://evil) \\<b\\> \\`c\\` \\*d\\*');
    expect(markdown('# no heading')).toBe('\\# no heading');
    expect(markdown('a\n# no heading')).toBe('a\\\\x0a# no heading');
  });

  it('leaves plain words and figures as they are', () => {
    expect(markdown('41.2 ms (median 3.5 ms)')).toBe('41.2 ms (median 3.5 ms)');
    expect(markdown('1. no list')).toBe('1\\. no list');
  });

  it('puts only harmless text into code spans', () => {
    expect(markdownCode('origin.pcap0')).toBe('`origin.pcap0`');
    expect(markdownCode('a`b|c')).toBe('a\\`b\\|c');
  });
});
