/**
 * The shape of a user's profile: any field of Profile, the rest as built in. In: load-profile.ts with the content of a JSON file.
 * Apart from profile.ts, so that zod is loaded only where somebody brings a profile.
 */

import { z } from 'zod';
import { builtinProfile } from './profile.js';

const names = z.array(z.string().min(1).max(128)).max(64);
const defaulted = (field: NamesField) => names.default([...builtinProfile[field]]);
type NamesField = {
  [K in keyof typeof builtinProfile]: (typeof builtinProfile)[K] extends readonly string[] ? K : never;
}[keyof typeof builtinProfile];

export const profileSchema = z.strictObject({
  name: z.string().default('custom'),
  typeKeys: defaulted('typeKeys'),
  idKeys: defaulted('idKeys'),
  commands: defaulted('commands'),
  commandAcks: defaulted('commandAcks'),
  results: defaulted('results'),
  authentication: defaulted('authentication'),
  agentKeys: defaulted('agentKeys'),
  agentHeaders: defaulted('agentHeaders'),
  dispatchPath: z.string().max(256).default(builtinProfile.dispatchPath),
  dispatchMethods: defaulted('dispatchMethods'),
  learn: z.boolean().default(builtinProfile.learn),
});
