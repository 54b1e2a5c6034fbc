import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'The captures are stopped before the deadline of the last command to the agent that ignores commands has passed: ' +
    'nothing is proven about it. An earlier command to it is past its deadline.',
  outcomes: { 'TABLET-2': ['reached-agent', 'inconclusive'] },
  findings: {
    present: [
      {
        id: 'agent-ignores-commands',
        agents: ['TABLET-2'],
        note: 'its first command; the captures end before the deadline of its second',
      },
      { id: 'capture-untrusted' },
    ],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'agent-unresponsive'],
  },
  hypotheses: { 'TABLET-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'TABLET-1', site: 1, version: 'v5' },
    { id: 'TABLET-2', site: 2, version: 'v5', ignoreFromConnection: 1 },
  ],

  async play(lab) {
    await lab.connect();
    await lab.dispatch('TABLET-2', HOSTNAME);
    for (let i = 0; i < 6; i++) {
      await lab.dispatch('TABLET-1', work(i));
      await lab.sleep(500);
    }
    lab.fault('TABLET-2', {
      outcome: 'inconclusive',
      lastHop: 'npm',
      states: { origin: 'tcp-acked', nginx: 'tcp-acked', npm: 'tcp-acked' },
      what: 'the captures end 1.6 s after the command, the deadline is 3 s',
    });
    await lab.dispatch('TABLET-2', work(1));
    await lab.sleep(1600);
    await lab.stopCaptures();
  },
};
