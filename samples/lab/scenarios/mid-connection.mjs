import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'As in the field: the captures begin long after the connections were opened, so that they hold no handshake. ' +
    'One agent ignores its commands, three are healthy.',
  captureLater: true,
  captures: { origin: {}, nginx: { nano: true }, npm: { iface: 'any' } },
  outcomes: { 'OLD-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['OLD-2'] }],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'protocol-desync'],
  },
  hypotheses: { 'OLD-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 3 },
  agents: [
    { id: 'OLD-1', site: 1, version: 'v1' },
    { id: 'OLD-2', site: 1, version: 'v1', ignoreFromConnection: 1 },
    { id: 'OLD-3', site: 2, version: 'v2' },
    { id: 'OLD-4', site: 3, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    await lab.sleep(3500);
    await lab.startCaptures();
    await lab.sleep(700);
    for (let i = 0; i < 12; i++) {
      if (i === 2) await lab.dispatch('OLD-2', HOSTNAME);
      if (i === 6) await lab.dispatch('OLD-2', work(3));
      await lab.dispatch(`OLD-${[1, 3, 4][i % 3]}`, work(i), { reuse: true });
      await lab.sleep(300);
    }
    await lab.finish();
  },
};
