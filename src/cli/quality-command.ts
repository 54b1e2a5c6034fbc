/**
 * `lasthop quality`. In: FILE arguments and options. Out: what each capture is good for.
 */
import { ExitStatus } from './exit-status.js';
import { plainFiles } from './inputs.js';
import { qualityOptions, type RawOptions } from './options.js';
import { reportOptions, type Session, withOutput, writeAll } from './session.js';

export async function qualityCommand(session: Session, words: string[], raw: RawOptions): Promise<number> {
  const options = await qualityOptions(raw);
  const files = plainFiles(words);
  const { qualityReport } = await import('../report/quality.js');
  await withOutput(session, options.output, files, async (output) => {
    const captures = [];
    for (const file of files)
      captures.push(
        await session.engine.captureQuality(file, {
          profile: options.profile,
          secondReader: options.secondReader,
          onProgress: session.messages.progress,
        }),
      );
    session.messages.erase();
    await writeAll(output, qualityReport(options.format, captures, reportOptions(session, options), session.version));
  });
  return ExitStatus.ok;
}
