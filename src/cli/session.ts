/**
 * What every command needs while it runs: where results go, what is said meanwhile, and the engine. In: main.
 * Out: the commands. Results are written as they are made, and an output file is taken back if anything fails.
 */
import type { ReportOptions } from '../report/style.js';
import type { Engine } from './engine.js';
import type { OutputOptions } from './options.js';
import { FileOutput, type Output, OutputClosed, refuseToOverwrite, type StreamOutput } from './output.js';
import type { ProcessFace } from './process-face.js';
import type { Messages } from './progress.js';
import { colourWanted, terminalWidth, utf8 } from './terminal.js';

export interface Session {
  proc: ProcessFace;
  engine: Engine;
  messages: Messages;
  stdout: StreamOutput;
  version: string;
}

export function reportOptions(session: Session, options: OutputOptions<string>): ReportOptions {
  const { proc } = session;
  const toFile = options.output !== null;
  return {
    width: terminalWidth(proc, toFile),
    colour: colourWanted(proc.stdout, proc.env, options.colour, toFile),
    // A file is read by who knows where: UTF-8 is what it will be taken for.
    unicode: toFile || utf8(proc),
    all: options.all,
    failedOnly: options.failedOnly,
  };
}

/** Opens the output, lets `work` write to it, and sees it through to the end. */
export async function withOutput(
  session: Session,
  output: string | null,
  inputs: string[],
  work: (output: Output) => Promise<void>,
): Promise<void> {
  if (output !== null) refuseToOverwrite(output, inputs);
  const to = output === null ? session.stdout : new FileOutput(output);
  try {
    await work(to);
    session.messages.erase();
    await to.finish();
  } catch (error) {
    to.abandon();
    // Whoever read standard output has read enough (| head): that is no failure.
    if (!(error instanceof OutputClosed)) throw error;
  }
}

export async function writeAll(output: Output, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    const drained = output.write(piece);
    if (drained !== undefined) await drained;
  }
}
