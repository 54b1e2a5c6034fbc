import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Five hops, IPv6 everywhere, the loopback of the server included: in front of NPM stand a relay at the edge and a nginx as content ' +
    'delivery networks run one. The relay drops the commands of one agent; another ignores its own.',
  captures: {
    origin: { filter: 'ip6 and tcp port 3001' },
    nginx: {},
    npm: { filter: 'tcp port 80 and not host 2001:db8:20::10' },
    edge: { filter: 'tcp port 80 and not host 2001:db8:30::20' },
    cdn: { iface: 'any', filter: 'tcp port 80 and not host 2001:db8:41::30' },
  },
  outcomes: { 'FIVE-2': ['reached-agent'], 'FIVE-3': ['not-forwarded'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['FIVE-2'] },
      { id: 'hop-drops-text', agents: ['FIVE-3'] },
      { id: 'distinct-failures', agents: ['FIVE-2', 'FIVE-3'] },
    ],
    absentIds: ['capture-untrusted', 'split-connection', 'hop-drops-frames'],
  },
  hypotheses: {
    'FIVE-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'FIVE-3': { supported: ['proxy-forwarding:edge', 'independent-faults'], open: [] },
  },
  network: { family: 6, edges: ['edge', 'cdn'] },
  relay: { edge: [{ from: 'server', opcodes: [1], types: ['Command'], agents: ['FIVE-3'] }] },
  server: { maxAttempts: 2, host: '::1' },
  agents: [
    { id: 'FIVE-1', site: 1, version: 'v1' },
    { id: 'FIVE-2', site: 1, version: 'v5', ignoreFromConnection: 1 },
    { id: 'FIVE-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('FIVE-3', {
      outcome: 'not-forwarded',
      lastHop: 'npm',
      lostAt: 'edge',
      what: 'the relay at edge drops Text frames with Commands for FIVE-3, and noted each',
    });
    for (let i = 0; i < 5; i++) {
      if (i === 1) await lab.dispatch('FIVE-2', HOSTNAME);
      if (i === 2) await lab.dispatch('FIVE-3', work(2));
      await lab.dispatch('FIVE-1', work(i % 4));
      await lab.sleep(300);
    }
    await lab.finish();
  },
};
