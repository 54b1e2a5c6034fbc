import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'The chain from nginx outward speaks IPv6. The capture at npm is rotated every three seconds, and the clocks of ' +
    'the captures disagree (nginx is 1.75 s behind, npm 4.2 s ahead). One agent ignores its commands.',
  captures: { origin: {}, nginx: { clockOffsetMs: -1750 }, npm: { rotate: 3, clockOffsetMs: 4200 } },
  outcomes: { 'SIX-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['SIX-2'] }],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'capture-untrusted'],
  },
  hypotheses: { 'SIX-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  network: { family: 6 },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'SIX-1', site: 1, version: 'v4' },
    { id: 'SIX-2', site: 1, version: 'v4', ignoreFromConnection: 1 },
    { id: 'SIX-3', site: 2, version: 'v4' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 8; i++) {
      if (i === 2) await lab.dispatch('SIX-2', HOSTNAME);
      await lab.dispatch(`SIX-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(350);
    }
    await lab.finish();
  },
};
