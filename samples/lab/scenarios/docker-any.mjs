import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "NPM runs in a container behind its host's bridge, published by DNAT, and the capture is taken on the host with " +
    '-i any: each packet is there up to three times, with the addresses before and after DNAT, and the inner ' +
    'connection too. One agent ignores its commands, two are healthy.',
  captures: { origin: {}, nginx: {}, npm: { iface: 'any', format: 'pcapng' } },
  outcomes: { 'DOCK-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['DOCK-2'] }],
    absentIds: ['reply-address-mismatch', 'peer-unreachable', 'split-connection', 'hop-drops-text'],
  },
  hypotheses: { 'DOCK-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  network: { docker: true },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'DOCK-1', site: 1, version: 'v1' },
    { id: 'DOCK-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'DOCK-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 8; i++) {
      if (i === 2) await lab.dispatch('DOCK-2', HOSTNAME);
      await lab.dispatch(`DOCK-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(250);
    }
    await lab.finish();
  },
};
