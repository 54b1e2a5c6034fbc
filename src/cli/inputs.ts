/**
 * `hop=FILE` arguments. In: what commander left over. Out: the hops in the order of their first mention, for the engine.
 */
import { UsageError } from '../evidence/usage-error.js';
import type { HopInput } from './engine.js';

const FORM = 'name each hop, in order from the server out: origin=origin.pcap nginx=nginx.pcap npm=npm.pcap';
/** Names end up in tables, JSON keys of other programs and legs such as `npm->agent`. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,62}$/u;

export function hopInputs(words: string[]): HopInput[] {
  if (words.length === 0) throw new UsageError(`no captures given; ${FORM}`);
  const hops = new Map<string, string[]>();
  for (const word of words) {
    // The first '=' divides: a path may hold more of them.
    const at = word.indexOf('=');
    if (at < 0) throw new UsageError(`'${word}' names no hop; ${FORM.replace('origin=origin.pcap', `origin=${word}`)}`);
    const name = checkedHopName(word.slice(0, at), word);
    const file = word.slice(at + 1);
    if (file === '') throw new UsageError(`'${word}' names no file; ${FORM}`);
    const files = hops.get(name);
    if (files === undefined) hops.set(name, [file]);
    else if (files.includes(file)) throw new UsageError(`'${word}' is given twice`);
    else files.push(file);
  }
  const inputs = [...hops].map(([name, files]) => ({ name, files }));
  onlyOneStandardInput(inputs.flatMap((hop) => hop.files));
  return inputs;
}

export function plainFiles(words: string[]): string[] {
  if (words.length === 0) throw new UsageError('no capture given: name a FILE, or - for standard input');
  onlyOneStandardInput(words);
  return words;
}

/** `--path origin,nginx,npm`: it may name hops that were not captured, but must name all that were. */
export function pathOption(path: string[], hops: HopInput[]): string[] {
  const names = path.map((name) => checkedHopName(name.trim(), `--path ${path.join(',')}`));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--path names '${twice}' twice`);
  const missing = hops.find((hop) => !names.includes(hop.name));
  if (missing !== undefined)
    throw new UsageError(`--path does not name the hop '${missing.name}' that a capture is given for`);
  return names;
}

function checkedHopName(name: string, where: string): string {
  if (name === 'agent')
    throw new UsageError(`'${where}': a hop cannot be called 'agent', which is the end of every path`);
  if (NAME.test(name)) return name;
  throw new UsageError(`'${where}': '${name}' is no name for a hop (letters, digits, '_', '.', '-' and spaces)`);
}

function onlyOneStandardInput(files: string[]): void {
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError("standard input ('-') can be only one of the captures");
  }
}
