/**
 * The command line: commands, options, help. In: argv. Out: calls of the commands, with only what was on the line.
 */
import { Command } from 'commander';
import type { PlanOptions } from './capture-plan.js';
import { LIST_HELP, PLAN_HELP, QUALITY_HELP, ROOT_HELP, VERDICT_HELP, VERIFY_HELP } from './help.js';
import type { RawOptions } from './options.js';

export interface Handlers {
  verdict(words: string[], options: RawOptions): Promise<void>;
  verify(words: string[], options: RawOptions): Promise<void>;
  frames(words: string[], options: RawOptions): Promise<void>;
  connections(words: string[], options: RawOptions): Promise<void>;
  quality(words: string[], options: RawOptions): Promise<void>;
  capturePlan(words: string[], options: PlanOptions): Promise<void>;
}

export interface Voice {
  out: (text: string) => void;
  error: (text: string) => void;
  width: number;
}

export function program(version: string, handlers: Handlers, voice: Voice): Command {
  const root = new Command('lasthop')
    .description('For every command sent to an agent over WebSocket: the last hop that the captures prove it reached.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureOutput({
      writeOut: voice.out,
      writeErr: voice.error,
      getOutHelpWidth: () => voice.width,
      getErrHelpWidth: () => voice.width,
      outputError: (text, write) => write(text.replace(/^error: /, 'lasthop: ')),
    })
    .exitOverride()
    .addHelpText('after', ROOT_HELP);

  // Subcommands inherit the settings above, so they are made after them.
  const verdict = root
    .command('verdict')
    .summary('which hop did each command reach')
    .addHelpText('after', VERDICT_HELP);
  verdict.description('The verdict on every command, hop by hop: failures first, what they mean, and what proves it.');
  verdictArguments(verdict)
    .option(
      '--latency',
      'where the time of delivered commands goes, stretch by stretch (table, json, markdown or html)',
    )
    .option('--explain <ID>', "one command's whole story instead, as a timeline over all hops (table or json)")
    .action((words, options) => handlers.verdict(words, options));

  const verify = root.command('verify').summary('the same as a gate, for scripts').addHelpText('after', VERIFY_HELP);
  verify.description('The same report as verdict; the exit status says whether every command was delivered.');
  verdictArguments(verify)
    .option('--allow-empty', 'no commands at all is a pass, not inconclusive')
    .action((words, options) => handlers.verify(words, options));

  const frames = root.command('frames').summary('every WebSocket frame of a capture').addHelpText('after', LIST_HELP);
  frames.description('Every WebSocket frame of the captures, in order, with its packet numbers.');
  listArguments(frames)
    .option('--show-payloads', "show the text of messages: it may hold customers' data")
    .action((words, options) => handlers.frames(words, options));

  const connections = root.command('connections').summary('every TCP connection of a capture');
  connections.description(
    'Every TCP connection of the captures: peers, protocol, agent, messages, Pings, retransmissions.',
  );
  listArguments(connections).action((words, options) => handlers.connections(words, options));

  const quality = root
    .command('quality')
    .summary('whether captures support conclusions')
    .addHelpText('after', QUALITY_HELP);
  quality.description(
    'What captures are good for: coverage, drops, holes, cut packets, duplicates, one-way traffic, trouble with clocks.',
  );
  quality
    .argument('[FILE...]', 'captures; - is standard input')
    .option('--second-reader', 'read each file with pcap-parser as well, and compare record by record')
    .option('--profile <NAME|FILE>', 'how messages are told apart: auto, builtin or a JSON file (default: auto)')
    .option('--all', 'list every WebSocket and every hole, however many')
    .option('--format <FORMAT>', 'table, json or ndjson (default: table)')
    .option('--json', 'short for --format json')
    .option('-o, --output <FILE>', 'write to FILE, whole or not at all')
    .option('--color', 'colour even where the output is no terminal')
    .option('--no-color', 'no colour')
    .option('--config <FILE>', 'a JSON file with the same options; the command line wins')
    .action((words, options) => handlers.quality(words, options));

  root
    .command('capture-plan')
    .summary('the tcpdump commands to run at each hop')
    .description('The tcpdump commands to run on each hop, and what to mind. Hops in order, from the server out.')
    .argument('[hop=PORT...]', 'the port on which each hop listens (default: origin=3001 nginx=80 npm=443)')
    .option('--interface <NAME>', 'interface to capture on', 'any')
    .option('--file-size <MB>', 'size of each file of the ring', '200')
    .option('--files <N>', 'files in the ring', '20')
    .addHelpText('after', PLAN_HELP)
    .action((words, options) => handlers.capturePlan(words, options));

  for (const command of root.commands) command.option('--debug', 'show where an internal error happened');
  return root;
}

function verdictArguments(command: Command): Command {
  return command
    .option('--show-payloads', 'for frames; a verdict never holds payloads')
    .argument('[hop=FILE...]', "captures by hop, from the server out; a hop's files in any order; - is standard input")
    .option('--path <HOPS>', 'the whole path, comma-separated, where not every hop was captured: origin,nginx,npm')
    .option('--command <ID>', 'judge only this command, even if it was never sent (repeatable)', gathered)
    .option('--agent <ID>', 'judge only commands to this agent (repeatable)', gathered)
    .option('--since <TIME>', 'only commands sent from this time on: ISO 8601, UTC unless it names an offset')
    .option('--until <TIME>', 'only commands sent before this time')
    .option(
      '--ack-timeout <DURATION>',
      'how long a CommandAck may take: 500ms, 10s, 2m; seconds without a unit (default: 10s)',
    )
    .option('--profile <NAME|FILE>', 'how messages are told apart: auto, builtin or a JSON file (default: auto)')
    .option(
      '--keylog <[hop=]FILE>',
      'TLS keys in NSS key log format (SSLKEYLOGFILE), of all hops or one (repeatable)',
      gathered,
    )
    .option('--failed', 'list only the commands that are not delivered')
    .option('--all', 'list every command and explain every group, however many')
    .option('--format <FORMAT>', 'table, json, ndjson, csv, markdown, html or junit (default: table)')
    .option('--json', 'short for --format json')
    .option('-o, --output <FILE>', 'write to FILE, whole or not at all')
    .option('--color', 'colour even where the output is no terminal')
    .option('--no-color', 'no colour')
    .option('--config <FILE>', 'a JSON file with the same options; the command line wins');
}

function listArguments(command: Command): Command {
  return command
    .argument('[FILE...]', 'captures; - is standard input')
    .option('--profile <NAME|FILE>', 'how messages are told apart: auto, builtin or a JSON file (default: auto)')
    .option('--keylog <FILE>', 'TLS keys in NSS key log format (SSLKEYLOGFILE; repeatable)', gathered)
    .option('--format <FORMAT>', 'table, json, ndjson, csv or markdown (default: table)')
    .option('--json', 'short for --format json')
    .option('-o, --output <FILE>', 'write to FILE, whole or not at all')
    .option('--color', 'colour even where the output is no terminal')
    .option('--no-color', 'no colour')
    .option('--config <FILE>', 'a JSON file with the same options; the command line wins');
}

function gathered(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
