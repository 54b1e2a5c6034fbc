/** Ctrl-C in a pipeline is meant for the program that captures. */

import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { bePatient } from '../../src/cli/patience.js';
import { Messages } from '../../src/cli/progress.js';

function world() {
  const said: string[] = [];
  const sink = () =>
    new Writable({
      write(chunk, _encoding, done) {
        said.push(String(chunk));
        done();
      },
    });
  const proc = Object.assign(new EventEmitter(), { stdout: sink(), stderr: sink(), env: {} });
  return { proc, said, messages: new Messages(proc.stderr) };
}

it.each([[['verdict', 'origin=-']], [['verdict', 'origin=a.pcap', 'npm=-', '--json']], [['frames', '-']]])(
  'survives one interrupt of %j',
  (argv) => {
    const { proc, said, messages } = world();
    const undo = bePatient(argv, proc, messages);
    expect(proc.listenerCount('SIGINT')).toBe(1);
    proc.emit('SIGINT');
    expect(said.join('')).toContain('reading what is left in the pipe');
    // Without a listener, the second one ends the process.
    expect(proc.listenerCount('SIGINT')).toBe(0);
    undo();
  },
);

it('leaves interrupts alone where no pipe is read, and when it is over', () => {
  const { proc, messages } = world();
  bePatient(['verdict', 'origin=a.pcap', '--format=-', '-o', 'x'], proc, messages);
  expect(proc.listenerCount('SIGINT')).toBe(0);
  bePatient(['verdict', 'origin=-'], proc, messages)();
  expect(proc.listenerCount('SIGINT')).toBe(0);
});
