import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/evidence/usage-error.js';
import { loadProfile } from '../../src/message/load-profile.js';
import { builtinProfile, normalised, Role, RoleTable } from '../../src/message/profile.js';

describe('roles of the built-in profile', () => {
  const roles = new RoleTable(builtinProfile);

  it.each([
    ['Command', Role.command],
    ['command', Role.command],
    ['COMMAND', Role.command],
    ['CommandAck', Role.commandAck],
    ['command_ack', Role.commandAck],
    ['commandAck', Role.commandAck],
    ['command-ack', Role.commandAck],
    ['CommandResult', Role.result],
    ['command_result', Role.result],
    ['Authenticate', Role.authentication],
    ['Heartbeat', Role.quiet],
    ['ConfigUpdate', Role.quiet],
    ['AuthAck', Role.quiet],
    ['CommandHistory', Role.unknown],
    ['', Role.unknown],
  ])('%s', (type, role) => expect(roles.roleOf(type)).toBe(role));

  it('are the same in every spelling', () => {
    expect(['CommandAck', 'command_ack', 'commandAck', 'command.ack'].map(normalised)).toEqual(
      Array(4).fill('commandack'),
    );
  });

  it.each([
    ['/api/agents/PST-SERVER/command', 'PST-SERVER'],
    ['/api/agents/7/commands', '7'],
    ['/agents/a%20b/command?wait=1', 'a%20b'],
    ['/api/agents/7/command/', '7'],
    ['/api/agents/7/command/history', undefined],
    ['/api/commands-list', undefined],
  ])('the dispatch path %s', (path, agent) => {
    expect(roles.dispatchPath.exec(path)?.groups?.['agent']).toBe(agent);
  });
});

describe('loadProfile', () => {
  it('knows auto and builtin', async () => {
    expect(await loadProfile(undefined)).toMatchObject({ name: 'auto', learn: true });
    expect(await loadProfile('auto')).toEqual(await loadProfile(undefined));
    expect(await loadProfile('builtin')).toMatchObject({ name: 'builtin', learn: false });
  });

  it('takes a file’s content, and fills in what it leaves out', async () => {
    const profile = await loadProfile({ commands: ['exec'], commandAcks: ['ok'] });
    expect(profile).toMatchObject({ name: 'custom', commands: ['exec'], idKeys: builtinProfile.idKeys });
    const roles = new RoleTable(profile);
    expect([roles.roleOf('Exec'), roles.roleOf('OK'), roles.roleOf('Command')]).toEqual([
      Role.command,
      Role.commandAck,
      Role.unknown,
    ]);
  });

  it.each([
    ['a name that nobody has', 'mine', /mine/],
    ['no object', 42, /top level/],
    ['an unknown field', { comands: ['x'] }, /comands/],
    ['a wrong type', { commands: 'x' }, /commands/],
    ['a wrong element', { commands: ['ok', 5] }, /commands\.1/],
    ['an empty name', { idKeys: [''] }, /idKeys\.0/],
    ['a regular expression that is none', { dispatchPath: '(' }, /dispatchPath/],
  ])('refuses %s and says where', async (_, given, why) => {
    await expect(loadProfile(given)).rejects.toThrow(UsageError);
    await expect(loadProfile(given)).rejects.toThrow(why);
  });
});
