// Part of the build: runs the program on a sample and keeps what V8 compiled for it.

import { writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CODE_CACHE, load } from './bundle.js';

const sample = (file) => fileURLToPath(new URL(`../samples/incident-1/${file}`, import.meta.url));
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

const { main, script } = load();
const status = await main(['verdict', ...['origin', 'nginx', 'npm'].map((hop) => `${hop}=${sample(`${hop}.pcap`)}`)], {
  stdout: nowhere(),
  stderr: nowhere(),
  env: {},
});
if (status !== 0) throw new Error(`the sample's verdict ended with status ${status}`);
writeFileSync(CODE_CACHE, script.createCachedData());
