// Everything the lab starts, so that everything it started also ends, and nothing else.

import { execFileSync, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Runs one command line to its end; its error text is the error's message. */
export function sh(line, { tolerate = false } = {}) {
  const [command, ...args] = Array.isArray(line) ? line : line.split(' ').filter(Boolean);
  try {
    return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    if (tolerate) return '';
    throw new Error(`${[command, ...args].join(' ')}: ${error.stderr?.trim() || error.message}`);
  }
}

export class Processes {
  #children = new Set();

  spawnIn(netns, command, args, stdio = ['ignore', 'pipe', 'pipe']) {
    // `ip netns exec` replaces itself by the command: the child's pid is the command's.
    return this.#track(spawn('ip', ['netns', 'exec', netns, command, ...args], { stdio }));
  }

  /** A Node script of the lab as a process in a namespace; resolves when it says that it is ready. */
  forkIn(netns, script, config, onNote) {
    const child = this.#track(
      fork(here(script), [JSON.stringify(config)], {
        execPath: 'ip',
        execArgv: ['netns', 'exec', netns, process.execPath],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    let sequence = 0;
    const waiting = new Map();
    const call = (name, args = {}) =>
      new Promise((resolve, reject) => {
        waiting.set(++sequence, { resolve, reject });
        child.send({ do: name, seq: sequence, ...args });
      });
    child.on('exit', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`${script} ended (${signal ?? code})`));
    });
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (message.ready) resolve({ child, call });
        else if (message.note) onNote(message.note);
        else if (message.done) {
          waiting.get(message.done)?.resolve(message.value);
          waiting.delete(message.done);
        }
      });
      child.once('exit', (code) => reject(new Error(`${script} ended before it was ready (${code})`)));
    });
  }

  #track(child) {
    this.#children.add(child);
    child.on('error', () => {}); // a failed start shows as an exit; kill of a dead child is no fault
    child.on('exit', () => this.#children.delete(child));
    return child;
  }

  /** Asks first (nginx's master ends its workers on TERM), then kills what is left. */
  async endAll() {
    for (const child of this.#children) {
      child.kill('SIGTERM');
      child.kill('SIGCONT'); // a stopped process would keep the signal waiting
    }
    for (let i = 0; i < 20 && this.#children.size > 0; i++) await sleep(50);
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a process with this id is still a lab. */
export function isLab(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('lab.mjs');
  } catch {
    return false;
  }
}
