/**
 * Message profiles: which JSON messages are commands, CommandAcks and results, and under which keys type, ID and agent stand.
 * In: the built-in one, or a JSON file of the user's (checked by profile-schema.ts). Out: key-scan.ts gets the keys, hop/ and delivery/ the roles.
 * The built-in profile covers the encodings that serde makes of Rust enums: internally, adjacently and externally tagged,
 * in PascalCase, snake_case and camelCase.
 */

export const Role = {
  other: 0,
  command: 1,
  commandAck: 2,
  result: 3,
  quiet: 4,
  authentication: 5,
  unknown: 6,
} as const;
export type RoleNumber = (typeof Role)[keyof typeof Role];

export interface Profile {
  name: string;
  /** Keys at the top level whose string value names the type of a message. */
  typeKeys: readonly string[];
  /** Keys of the command ID; earlier ones win over later ones in one message. */
  idKeys: readonly string[];
  commands: readonly string[];
  commandAcks: readonly string[];
  results: readonly string[];
  authentication: readonly string[];
  /** Keys of the agent's name in an authentication message, earlier ones first. */
  agentKeys: readonly string[];
  /** Headers of the opening handshake that name the agent. */
  agentHeaders: readonly string[];
  /** The HTTP request by which an operator asks for a command: a regular expression over the path; group `agent` names the agent. */
  dispatchPath: string;
  dispatchMethods: readonly string[];
  /** Whether types with unfamiliar names are learned from IDs that come back. */
  learn: boolean;
}

export const builtinProfile: Profile = {
  name: 'builtin',
  typeKeys: [
    'type',
    'kind',
    'event',
    'op',
    'method',
    'action',
    'message_type',
    'messageType',
    'msg_type',
    'msgType',
    't',
    'evt',
    'cmd',
    'msg',
    'topic',
  ],
  idKeys: ['command_id', 'commandId', 'id'],
  commands: ['command'],
  commandAcks: [
    'commandack',
    'commandacknowledged',
    'commandacknowledgement',
    'commandacknowledgment',
    'commandreceived',
    'commandaccepted',
    'commandreceipt',
    'ackcommand',
  ],
  results: [
    'commandresult',
    'commandresponse',
    'commandoutput',
    'commandcomplete',
    'commandcompleted',
    'commandfinished',
    'commanddone',
    'commandfailed',
    'commanderror',
    'commandreply',
    'commandrejected',
    'result',
  ],
  authentication: [
    'auth',
    'authenticate',
    'authentication',
    'authrequest',
    'agentauth',
    'hello',
    'identify',
    'login',
    'register',
    'registration',
    'handshake',
    'connect',
    'announce',
    'join',
  ],
  agentKeys: [
    'agent_name',
    'agentName',
    'hostname',
    'host_name',
    'hostName',
    'agent',
    'agent_id',
    'agentId',
    'device_name',
    'deviceName',
    'device_id',
    'deviceId',
    'client_id',
    'clientId',
    'machine',
    'machine_id',
    'machineId',
    'node',
    'name',
    'id',
  ],
  agentHeaders: ['x-agent-name', 'x-agent-id', 'x-agent', 'x-hostname', 'x-device-id', 'x-client-id', 'agent-id'],
  dispatchPath: '/(?<agent>[^/?]+)/commands?/?(?:\\?.*)?$',
  dispatchMethods: ['POST', 'PUT'],
  learn: false,
};
export const autoProfile: Profile = { ...builtinProfile, name: 'auto', learn: true };

/** Message types whose scan may stop at the type: frequent, and never about one command. */
const QUIET = new Set([
  'heartbeat',
  'metrics',
  'metric',
  'ping',
  'pong',
  'keepalive',
  'telemetry',
  'configupdate',
  'authack',
  'heartbeatack',
]);

/** Letters and digits in lower case: one form for PascalCase, snake_case, camelCase and kebab-case. */
export function normalised(type: string): string {
  return type.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

export class RoleTable {
  private readonly roles = new Map<string, RoleNumber>();
  readonly dispatchPath: RegExp;

  constructor(readonly profile: Profile) {
    for (const quiet of QUIET) this.roles.set(quiet, Role.quiet);
    for (const [list, role] of [
      [profile.authentication, Role.authentication],
      [profile.results, Role.result],
      [profile.commandAcks, Role.commandAck],
      [profile.commands, Role.command],
    ] as const)
      for (const name of list) this.roles.set(normalised(name), role);
    this.dispatchPath = new RegExp(profile.dispatchPath);
  }

  roleOf(type: string): RoleNumber {
    return this.roles.get(normalised(type)) ?? Role.unknown;
  }
}
