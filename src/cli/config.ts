/**
 * Files that users write: --config and --profile. In: JSON. Out: checked values; whatever is wrong names its place.
 * The only file of cli/ that loads zod, and it is loaded only where one of the two options is given.
 */
import { z } from 'zod';
import { UsageError } from '../evidence/usage-error.js';
import { loadProfile } from '../message/load-profile.js';
import type { Profile } from '../message/profile.js';
import { readJson } from './options.js';

const text = z.string().min(1);
const list = z.union([text, z.array(text)]).transform((value) => (typeof value === 'string' ? [value] : value));

/** The same options as on the command line, by their long names in camelCase. */
const configSchema = z.strictObject({
  path: z.union([text.transform((value) => value.split(',')), z.array(text)]).optional(),
  profile: text.optional(),
  ackTimeout: z.union([text, z.number().positive().transform(String)]).optional(),
  command: list.optional(),
  agent: list.optional(),
  keylog: list.optional(),
  since: text.optional(),
  until: text.optional(),
  failed: z.boolean().optional(),
  format: text.optional(),
  showPayloads: z.boolean().optional(),
  all: z.boolean().optional(),
  latency: z.boolean().optional(),
  allowEmpty: z.boolean().optional(),
  color: z.boolean().optional(),
});

type Given = z.infer<typeof configSchema>;
export type Config = { [Key in keyof Given]?: Exclude<Given[Key], undefined> };

export function readConfig(file: string): Config {
  const read = configSchema.safeParse(readJson(file, '--config'));
  if (!read.success) throw new UsageError(`--config ${file}: ${faults(read.error)}`);
  return Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined)) as Config;
}

/** Checked here, before minutes of analysis, and with the file's name. */
export async function readProfile(file: string): Promise<Profile> {
  const content = readJson(file, '--profile');
  try {
    if (typeof content === 'string') throw new UsageError('the profile is not valid: a JSON object is needed');
    return await loadProfile(content);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--profile ${file}: ${error.message}`);
    throw error;
  }
}

function faults(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`)
    .join('; ');
}
