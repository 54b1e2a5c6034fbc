#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

// Reading a capture leaves hardly anything that lives long: a young generation that stays small costs nothing and keeps memory flat.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--no-parallel-scavenge');

const { main } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2), process);
