/**
 * The options of each command, settled: command line over --config file over default. In: what commander read.
 * Out: typed, checked values for the commands.
 */
import { readFileSync } from 'node:fs';
import { UsageError } from '../evidence/usage-error.js';
import { LIST_FORMATS, type ListFormat } from '../report/list-format.js';
import { QUALITY_FORMATS, type QualityFormat } from '../report/quality-format.js';
import { VERDICT_FORMATS, type VerdictFormat } from '../report/render.js';
import type { Config } from './config.js';
import { durationMs, momentMs } from './values.js';

/** As commander hands them over: only what was on the command line. */
export interface RawOptions {
  path?: string;
  profile?: string;
  ackTimeout?: string;
  command?: string[];
  agent?: string[];
  since?: string;
  until?: string;
  failed?: boolean;
  format?: string;
  json?: boolean;
  output?: string;
  showPayloads?: boolean;
  secondReader?: boolean;
  all?: boolean;
  allowEmpty?: boolean;
  explain?: string;
  latency?: boolean;
  color?: boolean;
  keylog?: string[];
  config?: string;
}

export interface OutputOptions<Format> {
  format: Format;
  output: string | null;
  colour: boolean | undefined;
  all: boolean;
  failedOnly: boolean;
}

export interface VerdictOptions extends OutputOptions<VerdictFormat> {
  path: string[] | null;
  profile: unknown;
  ackTimeoutMs: number;
  commandIds: string[];
  agents: string[];
  since: number | null;
  until: number | null;
  allowEmpty: boolean;
  /** ID of the command whose story is asked for; null for the whole verdict. */
  explain: string | null;
  /** As given: `FILE` or `hop=FILE`. */
  keyLogs: string[];
  latency: boolean;
}

export interface ListOptions extends OutputOptions<ListFormat> {
  profile: unknown;
  showPayloads: boolean;
  keyLogs: string[];
}

export interface QualityOptions extends OutputOptions<QualityFormat> {
  profile: unknown;
  secondReader: boolean;
}

export async function verdictOptions(raw: RawOptions): Promise<VerdictOptions> {
  const config = await configured(raw);
  const since = raw.since ?? config.since;
  const until = raw.until ?? config.until;
  const sinceMs = since === undefined ? null : momentMs(since, '--since');
  const untilMs = until === undefined ? null : momentMs(until, '--until');
  if (sinceMs !== null && untilMs !== null && sinceMs >= untilMs) throw new UsageError('--since is not before --until');
  const path = raw.path?.split(',') ?? config.path;
  const output = outputOptions(raw, config, VERDICT_FORMATS);
  return {
    ...output,
    path: path ?? null,
    profile: await profileOption(raw.profile ?? config.profile ?? 'auto'),
    ackTimeoutMs: durationMs(raw.ackTimeout ?? config.ackTimeout ?? '10s', '--ack-timeout'),
    commandIds: named(raw.command ?? config.command ?? [], '--command'),
    agents: named(raw.agent ?? config.agent ?? [], '--agent'),
    since: sinceMs,
    until: untilMs,
    allowEmpty: raw.allowEmpty ?? config.allowEmpty ?? false,
    explain: explainOption(raw.explain, output.format),
    keyLogs: named(raw.keylog ?? config.keylog ?? [], '--keylog'),
    latency: raw.latency ?? config.latency ?? false,
  };
}

function explainOption(id: string | undefined, format: VerdictFormat): string | null {
  if (id === undefined) return null;
  if (id === '') throw new UsageError('--explain names no command');
  if (format !== 'table' && format !== 'json') throw new UsageError(`--explain gives table or json, not ${format}`);
  return id;
}

export async function listOptions(raw: RawOptions): Promise<ListOptions> {
  const config = await configured(raw);
  return {
    ...outputOptions(raw, config, LIST_FORMATS),
    profile: await profileOption(raw.profile ?? config.profile ?? 'auto'),
    showPayloads: raw.showPayloads ?? config.showPayloads ?? false,
    keyLogs: named(raw.keylog ?? config.keylog ?? [], '--keylog'),
  };
}

export async function qualityOptions(raw: RawOptions): Promise<QualityOptions> {
  const config = await configured(raw);
  return {
    ...outputOptions(raw, config, QUALITY_FORMATS),
    profile: await profileOption(raw.profile ?? config.profile ?? 'auto'),
    secondReader: raw.secondReader ?? false,
  };
}

async function configured(raw: RawOptions): Promise<Config> {
  if (raw.config === undefined) return {};
  return (await import('./config.js')).readConfig(raw.config);
}

function outputOptions<Format extends string>(
  raw: RawOptions,
  config: Config,
  formats: readonly Format[],
): OutputOptions<Format> {
  if (raw.json && raw.format !== undefined && raw.format !== 'json') {
    throw new UsageError(`--json and --format ${raw.format} contradict each other`);
  }
  const asked = raw.json ? 'json' : (raw.format ?? config.format ?? 'table');
  const format = formats.find((one) => one === asked);
  if (format === undefined) throw new UsageError(`--format '${asked}': expected ${formats.join(', ')}`);
  const output = raw.output ?? null;
  if (output === '') throw new UsageError('-o names no file');
  return {
    format,
    output: output === '-' ? null : output,
    colour: raw.color ?? config.color,
    all: raw.all ?? config.all ?? false,
    failedOnly: raw.failed ?? config.failed ?? false,
  };
}

function named(ids: string[], option: string): string[] {
  if (ids.includes('')) throw new UsageError(`${option} is empty`);
  return [...new Set(ids)];
}

/** `auto` and `builtin` are the engine's own; anything else is a file. */
async function profileOption(profile: string): Promise<unknown> {
  if (profile === 'auto' || profile === 'builtin') return profile;
  return (await import('./config.js')).readProfile(profile);
}

/** JSON that a user wrote, with a message that says where it is wrong. */
export function readJson(file: string, option: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `${option} ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`,
    );
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new UsageError(`${option} ${file}: is not valid JSON: ${(error as Error).message}`);
  }
}
