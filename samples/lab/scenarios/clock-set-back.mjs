import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "The clock of nginx's host is set back by 90 s in mid-capture, npm's is 3 h ahead and set forward by 2 s (made of the captures by the " +
    'lab: their packets stand in the order in which they were captured). One agent ignores its commands.',
  captures: {
    origin: {},
    nginx: { clockSteps: [[4200, -90_000]] },
    npm: { clockOffsetMs: 10_800_000, clockSteps: [[6100, 2000]] },
  },
  outcomes: { 'CLOCK-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['CLOCK-2'] }],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'hop-drops-frames', 'commands-not-sent', 'capture-untrusted'],
  },
  hypotheses: { 'CLOCK-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'CLOCK-1', site: 1, version: 'v1' },
    { id: 'CLOCK-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'CLOCK-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 16; i++) {
      if (i % 5 === 2) await lab.dispatch('CLOCK-2', HOSTNAME);
      await lab.dispatch(`CLOCK-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
