/**
 * `lasthop quality`. In: FILE arguments and options. Out: what each capture is good for.
 */
import { isPipe } from '../capture/read-together.js';
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
    const asked = (file: string) =>
      session.engine.captureQuality(file, {
        profile: options.profile,
        secondReader: options.secondReader,
        onProgress: session.messages.progress,
      });
    // Captures that still run lose packets while nobody takes them from their pipes.
    const running = new Map(files.filter(isPipe).map((file) => [file, asked(file)]));
    for (const each of running.values()) each.catch(() => {});
    for (const [at, file] of files.entries()) {
      try {
        captures.push(await (running.get(file) ?? asked(file)));
      } catch (error) {
        // The latest of a rotated set may have been opened and not written to yet: the others are told all the same.
        const others = captures.length > 0 || at < files.length - 1;
        if (!isEmptyFile(error) || !others) throw error;
        session.messages.warn(`${file}: an empty file, 0 octets: it is left out`);
      }
    }
    session.messages.erase();
    await writeAll(output, qualityReport(options.format, captures, reportOptions(session, options), session.version));
  });
  return ExitStatus.ok;
}

function isEmptyFile(error: unknown): boolean {
  return error instanceof Error && error.name === 'CaptureError' && (error as { code?: unknown }).code === 'empty-file';
}
