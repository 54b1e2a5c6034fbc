// What a process of the lab noted, sent to the lab over the fork's IPC channel; the lab writes the logs.

import { performance } from 'node:perf_hooks';

export function isoMicros() {
  const ms = performance.timeOrigin + performance.now();
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1000);
  return new Date(whole).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

export function note(event) {
  if (process.connected) process.send({ note: { at: isoMicros(), ...event } });
}

/** Answers `{ do: name, ...arguments }` from the lab with `{ done: seq, value }`. */
export function serveLab(handlers) {
  process.on('message', async (message) => {
    const value = await handlers[message.do](message);
    if (process.connected) process.send({ done: message.seq, value });
  });
  process.on('disconnect', () => process.exit(0));
}
