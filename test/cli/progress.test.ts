import { expect, it } from 'vitest';
import { Messages } from '../../src/cli/progress.js';
import { Collector } from './world.js';

const MEGABYTE = 1024 * 1024;

function speaking(tty: boolean) {
  const stderr = new Collector();
  stderr.isTTY = tty;
  let now = 1000;
  const messages = new Messages(stderr, () => {
    now += 200;
    return now;
  });
  return { stderr, messages };
}

it('shows progress only to a person, only of large files, and takes it away', () => {
  const small = { hop: 'npm', file: 'npm.pcap', octetsRead: 5 * MEGABYTE, octetsTotal: 10 * MEGABYTE };
  const large = { ...small, octetsRead: 50 * MEGABYTE, octetsTotal: 200 * MEGABYTE };
  const piped = speaking(false);
  piped.messages.progress(large);
  expect(piped.stderr.text).toBe('');
  const { stderr, messages } = speaking(true);
  messages.progress(small);
  expect(stderr.text).toBe('');
  messages.progress(large);
  expect(stderr.text).toBe('\r\x1b[Knpm npm.pcap: 50 MiB 25%');
  messages.warn('cut');
  expect(stderr.text.endsWith('25%\r\x1b[Klasthop: warning: cut\n')).toBe(true);
  messages.erase();
  expect(stderr.text.endsWith('cut\n')).toBe(true);
});

it('says a warning once, and nothing that a terminal would act upon', () => {
  const { stderr, messages } = speaking(false);
  messages.warn('a\x1b[2Jb');
  messages.warn('a\x1b[2Jb');
  expect(stderr.text).toBe('lasthop: warning: a\\x1b[2Jb\n');
});
