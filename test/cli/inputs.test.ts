import { describe, expect, it } from 'vitest';
import { hopInputs, pathOption, plainFiles } from '../../src/cli/inputs.js';

describe('hop=FILE', () => {
  it('keeps the order of first mention, and gathers the files of a hop', () => {
    expect(hopInputs(['b=1', 'a=2', 'b=3', 'a=-'])).toEqual([
      { name: 'b', files: ['1', '3'] },
      { name: 'a', files: ['2', '-'] },
    ]);
  });

  it('divides at the first =', () => {
    expect(hopInputs(['origin=/tmp/a=b/c=d.pcap'])).toEqual([{ name: 'origin', files: ['/tmp/a=b/c=d.pcap'] }]);
  });

  it.each([
    [[], 'no captures given'],
    [['x.pcap'], 'origin=x.pcap'],
    [['=x.pcap'], 'no name for a hop'],
    [['origin='], 'names no file'],
    [['a->b=x'], 'no name for a hop'],
    [['agent=x'], "cannot be called 'agent'"],
    [['\x1b[2J=x'], 'no name for a hop'],
    [['a=x', 'a=x'], 'given twice'],
    [['a=-', 'a=-'], 'given twice'],
    [['a=-', 'b=-'], 'standard input'],
  ])('%j', (words, text) => expect(() => hopInputs(words)).toThrow(text));
});

it('--path names every hop that was captured, once', () => {
  const hops = hopInputs(['origin=o', 'npm=p']);
  expect(pathOption(['origin', ' nginx', 'npm'], hops)).toEqual(['origin', 'nginx', 'npm']);
  expect(() => pathOption(['origin', 'nginx'], hops)).toThrow("'npm'");
  expect(() => pathOption(['origin', 'npm', 'npm'], hops)).toThrow('twice');
  expect(() => pathOption(['origin', '', 'npm'], hops)).toThrow('no name');
});

it('files need no hop, but there must be one', () => {
  expect(plainFiles(['a', '-'])).toEqual(['a', '-']);
  expect(() => plainFiles(['-', '-'])).toThrow('standard input');
});
