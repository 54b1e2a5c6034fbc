/**
 * The agent's name: from its authentication message, else from headers or path of the opening handshake, else from any message of its
 * that names it. In: connection-stack.ts. Out: names, the best first; the others serve to match dispatch requests and --agent.
 */

import type { MessageHead } from '../http/message-head.js';
import type { OpeningHandshake } from '../http/opening-handshake.js';
import { type Profile, Role, type RoleNumber } from '../message/profile.js';

const MAX_MESSAGES = 12;
const MAX_MESSAGE = 64 << 10;
const MAX_NAME = 128;
/** In a message that is no authentication only keys that cannot mean anything else. */
const PLAIN_KEYS = new Set([
  'agent',
  'agent_id',
  'agentId',
  'agent_name',
  'agentName',
  'hostname',
  'host_name',
  'hostName',
]);
const GENERIC = /^(?:ws|wss|agents?|connect|socket|websocket|stream|api|v\d+|live|command|commands)$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Replaced by the first name. */
const NO_NAMES: string[] = [];

export class AgentName {
  private fromMessage = NO_NAMES;
  private fromHandshake = NO_NAMES;
  private fromPlain = NO_NAMES;
  private looked = 0;
  version: string | null = null;
  settled = false;

  constructor(private readonly profile: Profile) {}

  get names(): string[] {
    const all = [...this.fromMessage, ...this.fromHandshake, ...this.fromPlain];
    return [...new Set(all)].slice(0, 8);
  }

  handshake(handshake: OpeningHandshake, head: MessageHead | null): void {
    for (const name of this.profile.agentHeaders)
      this.fromHandshake = withName(this.fromHandshake, head?.fields.get(name));
    const [path, query = ''] = handshake.path.split('?', 2);
    const parameters = new URLSearchParams(query);
    for (const key of this.profile.agentKeys) this.fromHandshake = withName(this.fromHandshake, parameters.get(key));
    const segments = path.split('/').filter((segment) => segment !== '' && !GENERIC.test(segment));
    const last = segments.at(-1);
    if (last !== undefined && /(?:agents?|ws|devices?|connect)\/[^/]+\/?(?:ws|socket|connect)?\/?$/i.test(path))
      this.fromHandshake = withName(this.fromHandshake, last);
  }

  /** A text message of the client's; `first` where the stream is known from its beginning. */
  message(bytes: Uint8Array, start: number, end: number, role: RoleNumber, first: boolean): void {
    if (end - start > MAX_MESSAGE) return;
    // The first thing that a client says under a name nobody knows is most likely who it is.
    const authentication = role === Role.authentication || (first && this.looked === 0 && role === Role.unknown);
    if (++this.looked >= MAX_MESSAGES) this.settled = true;
    let message: unknown;
    try {
      message = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)));
    } catch {
      return;
    }
    let into = authentication ? this.fromMessage : this.fromPlain;
    for (const key of this.profile.agentKeys)
      if (authentication || PLAIN_KEYS.has(key)) into = withName(into, valueUnder(message, key, 3));
    if (authentication) this.version ??= versionIn(message);
    into.sort((a, b) => Number(UUID.test(a)) - Number(UUID.test(b)));
    if (authentication) this.fromMessage = into;
    else this.fromPlain = into;
    if (authentication && into.length > 0) this.settled = true;
  }
}

function withName(names: string[], value: unknown): string[] {
  const name = typeof value === 'number' ? String(value) : value;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME || names.includes(name)) return names;
  return [...names, name];
}

const VERSION_KEYS = ['agent_version', 'agentVersion', 'client_version', 'clientVersion', 'version'];
const MAX_VERSION = 64;

/** Looks like a version, and not like a number of the protocol or of a message. */
function versionIn(message: unknown): string | null {
  for (const key of VERSION_KEYS) {
    const value = valueUnder(message, key, 3);
    if (typeof value === 'string' && value.length <= MAX_VERSION && /^v?\d+[.\w+-]*$/.test(value)) return value;
  }
  return null;
}

/** The value under a key, outer levels first. */
function valueUnder(message: unknown, key: string, levels: number): unknown {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
  const here = (message as Record<string, unknown>)[key];
  if (typeof here === 'string' || typeof here === 'number') return here;
  if (levels <= 1) return undefined;
  for (const inner of Object.values(message)) {
    const found = valueUnder(inner, key, levels - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
