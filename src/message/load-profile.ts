/**
 * From what the user named to a profile. In: `auto`, `builtin`, or the content of a JSON file. Out: a checked Profile,
 * or a UsageError that says which field is wrong.
 */

import { UsageError } from '../evidence/usage-error.js';
import { autoProfile, builtinProfile, type Profile } from './profile.js';

export async function loadProfile(profile: unknown): Promise<Profile> {
  if (profile === undefined || profile === 'auto') return autoProfile;
  if (profile === 'builtin') return builtinProfile;
  if (typeof profile === 'string')
    throw new UsageError(`no profile is called "${profile}": there are auto, builtin, and files`);
  const { profileSchema } = await import('./profile-schema.js');
  const parsed = profileSchema.safeParse(profile);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw new UsageError(`the profile is not valid: ${first.path.join('.') || 'top level'}: ${first.message}`);
  }
  try {
    new RegExp(parsed.data.dispatchPath);
  } catch (error) {
    throw new UsageError(`the profile is not valid: dispatchPath: ${(error as Error).message}`);
  }
  return parsed.data;
}
