/**
 * `lasthop frames` and `lasthop connections`. In: FILE arguments and options. Out: lists, frames as they are read.
 */
import type { ListOptions as EngineListOptions } from './engine.js';
import { ExitStatus } from './exit-status.js';
import { plainFiles } from './inputs.js';
import { keyLogOptions } from './key-logs.js';
import { type ListOptions, listOptions, type RawOptions } from './options.js';
import { reportOptions, type Session, withOutput, writeAll } from './session.js';

export async function framesCommand(session: Session, words: string[], raw: RawOptions): Promise<number> {
  const options = await listOptions(raw);
  const files = plainFiles(words);
  const { frameWriter } = await import('../report/frames.js');
  const writer = frameWriter(options.format, reportOptions(session, options), session.version);
  await withOutput(session, options.output, files, async (output) => {
    await output.write(writer.head());
    await session.engine.listFrames(files, engineOptions(session, options), (frame) =>
      output.write(writer.frame(frame)),
    );
    await output.write(writer.foot());
  });
  return ExitStatus.ok;
}

export async function connectionsCommand(session: Session, words: string[], raw: RawOptions): Promise<number> {
  const options = await listOptions(raw);
  const files = plainFiles(words);
  const { connectionList } = await import('../report/connections.js');
  await withOutput(session, options.output, files, async (output) => {
    const connections = await session.engine.listConnections(files, engineOptions(session, options));
    session.messages.erase();
    await writeAll(
      output,
      connectionList(options.format, connections, reportOptions(session, options), session.version),
    );
  });
  return ExitStatus.ok;
}

function engineOptions(session: Session, options: ListOptions): EngineListOptions {
  return {
    profile: options.profile,
    showPayloads: options.showPayloads,
    keyLogs: keyLogOptions(options.keyLogs, [], session.messages.warn).map(({ content }) => content),
    onProgress: session.messages.progress,
    warn: session.messages.warn,
  };
}
