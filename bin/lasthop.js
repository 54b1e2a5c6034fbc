#!/usr/bin/env node
import { load } from './bundle.js';

process.exitCode = await load().main(process.argv.slice(2), process);
