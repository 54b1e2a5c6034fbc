import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Every capture is rotated every second, for twelve seconds; at nginx two such sets run at once, so that their files overlap. The files ' +
    'are given in no order at all. One agent ignores its commands.',
  captures: {
    origin: { rotate: 1, anyOrder: true },
    nginx: { rotate: 1, twice: true, anyOrder: true },
    npm: { rotate: 1, anyOrder: true, nano: true, outerOnly: true },
  },
  outcomes: { 'ROT-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['ROT-2'] }],
    absentIds: ['capture-untrusted', 'peer-unreachable', 'hop-drops-text'],
  },
  hypotheses: { 'ROT-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 2, configOctets: 600 },
  agents: [
    { id: 'ROT-1', site: 1, version: 'v1' },
    { id: 'ROT-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'ROT-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 12; i++) {
      if (i === 2) await lab.dispatch('ROT-2', HOSTNAME);
      await lab.dispatch(`ROT-${i % 2 ? 1 : 3}`, work(i % 3));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
