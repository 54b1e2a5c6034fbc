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
  ],
};

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
