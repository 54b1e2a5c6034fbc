import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// One file instead of two hundred: starting up costs an operator a third of what it did. It is a script and no module, so that V8's code
// can be kept beside it (bin/code-cache.js), and plain ASCII, so that it is held in one octet a character.
export default {
  input: { 'cli/main': 'src/cli/main.ts' },
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    codeSplitting: false,
    cleanDir: true,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  },
  plugins: [
    {
      name: 'ascii',
      generateBundle(_, bundle) {
        for (const file of Object.values(bundle))
          if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
      },
    },
    {
      // The bundle carries other people's code: their notices go with it.
      name: 'notices',
      generateBundle(_, bundle) {
        const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
        const packages = new Set(modules.map(packageFolder).filter(Boolean));
        this.emitFile({
          type: 'asset',
          fileName: 'THIRD-PARTY.txt',
          source: [...packages].sort().map(notice).join('\n'),
        });
      },
    },
  ],
};

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The folder of the package that a module belongs to; null for a module of our own. */
function packageFolder(module) {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0] ?? null;
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (!file) throw new Error(`${name} ${version} has no licence file to go with the bundle`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8')}`;
}
