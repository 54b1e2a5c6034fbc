import { randomUUID } from 'node:crypto';
import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Commands for two agents are asked for over HTTP and no frame with them leaves the server, while its Pings go on: ' +
    'for FS-A the server answers with an ID, for FS-B it never answers (two requests bring their own command_id, ' +
    'one names none, so that nothing in the captures identifies it). FS-C is healthy.',
  outcomes: { 'FS-A': ['never-sent'], 'FS-B': ['never-sent'] },
  findings: {
    present: [{ id: 'commands-not-sent', agents: ['FS-A', 'FS-B'] }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'dispatch-stalled'],
  },
  hypotheses: {
    'FS-A': { supported: ['origin-write-path'], open: ['stale-connection', 'split-connection'] },
    'FS-B': { supported: ['origin-write-path'], open: ['stale-connection', 'split-connection'] },
  },
  server: { silent: ['FS-A', 'FS-B'], hanging: ['FS-B'] },
  agents: [
    { id: 'FS-A', site: 1 },
    { id: 'FS-B', site: 1 },
    { id: 'FS-C', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of ['FS-A', 'FS-B']) {
      const what = `the server's switch: it never offers commands to ${agent}`;
      lab.fault(agent, { outcome: 'never-sent', lastHop: null, lostAt: 'origin', what });
    }
    for (let i = 0; i < 6; i++) {
      if (i % 2 === 0) await lab.dispatch('FS-A', work(i), { reuse: i === 2 });
      await lab.dispatch('FS-C', work(i), { reuse: true });
      await lab.sleep(300);
    }
    await lab.dispatch('FS-B', { command_id: randomUUID(), ...HOSTNAME }, { timeoutMs: 800 });
    await lab.dispatch('FS-B', { command_id: randomUUID(), ...work(3) }, { timeoutMs: 800 });
    await lab.dispatch('FS-B', HOSTNAME, { timeoutMs: 800 });
    await lab.dispatch('FS-C', HOSTNAME);
    await lab.finish();
  },
};
