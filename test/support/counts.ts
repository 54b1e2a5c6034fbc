/**
 * The plain closing line of a test run: `N passed, N failed`. In: vitest's results. Out: standard output, or, for .ci/run, the file that
 * TEST_COUNTS names. A file that could not be loaded, and an error outside of any test, count as failed.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class Counts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      let own = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') own++;
      }
      // Its own errors (an import, a hook) fail the file also where no test of it did.
      if (own === 0 && module.state() === 'failed') own = 1;
      failed += own;
    }
    const line = `${passed} passed, ${failed} failed\n`;
    const file = process.env['TEST_COUNTS'];
    if (file) writeFileSync(file, line);
    else process.once('exit', () => process.stdout.write(line));
  }
}
