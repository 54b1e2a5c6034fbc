/**
 * Loads the built program. Reading a capture is soon done, and a good part of a short run would be V8 reading the program: the build keeps
 * its compiled code beside it. Where that was made by another Node.js, V8 refuses it, and reads the program as ever.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

export const BUNDLE = fileURLToPath(new URL('../dist/cli/main.cjs', import.meta.url));
export const CODE_CACHE = `${BUNDLE}.cache`;

// V8 asks that the flags be the same where the code is made and where it is used.
// Reading a capture leaves hardly anything that lives long: a young generation that stays small costs nothing and keeps memory flat.
setFlagsFromString('--semi-space-growth-factor=1');
// It is collected in a moment: calling other threads to help takes longer.
setFlagsFromString('--no-parallel-scavenge');

/** The program's exports, and the script that they come from. */
export function load() {
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(BUNDLE, 'latin1')}\n})`;
  const script = new Script(source, {
    filename: BUNDLE,
    cachedData: codeCache(),
    importModuleDynamically: (name) => import(name),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE, dirname(BUNDLE));
  return { main: module.exports.main, script };
}

function codeCache() {
  try {
    return readFileSync(CODE_CACHE);
  } catch {
    return undefined; // it only saves time
  }
}
