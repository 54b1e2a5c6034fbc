import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'A relay in the place of NPM spoils frames without a word: of each Command to TUN-1 it loses the first three octets, and of each to ' +
    'TUN-2 it changes the first one. Both agents close the connection and connect again. Another agent is healthy.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'TUN-1': ['inconclusive'], 'TUN-2': ['inconclusive'] },
  findings: { present: [{ id: 'protocol-desync', agents: ['TUN-1', 'TUN-2'] }] },
  hypotheses: {
    'TUN-1': {
      supported: ['proxy-forwarding:npm', 'protocol-desync'],
      open: [
        'network-path',
        'path-mtu',
        'middlebox',
        'agent-receive-loop',
        'agent-command-path',
        'stale-connection',
        'split-connection',
      ],
    },
    'TUN-2': {
      supported: ['proxy-forwarding:npm', 'protocol-desync'],
      open: [
        'network-path',
        'path-mtu',
        'middlebox',
        'agent-receive-loop',
        'agent-command-path',
        'stale-connection',
        'split-connection',
      ],
    },
  },
  relay: {
    npm: [
      { from: 'server', opcodes: [1], types: ['Command'], agents: ['TUN-1'], spoil: 'lose' },
      { from: 'server', opcodes: [1], types: ['Command'], agents: ['TUN-2'], spoil: 'garble' },
    ],
  },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'TUN-1', site: 1 },
    { id: 'TUN-2', site: 2 },
    { id: 'DIRECT-1', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of ['TUN-1', 'TUN-2'])
      lab.fault(agent, {
        outcome: 'inconclusive',
        lastHop: 'nginx',
        states: { origin: 'tcp-acked', nginx: 'tcp-acked' },
        what: 'the relay at npm spoiled the frame, and noted it: what left npm is no frame that anyone can read',
      });
    await lab.dispatch('TUN-1', HOSTNAME);
    await lab.dispatch('TUN-2', work(1));
    for (let i = 0; i < 5; i++) {
      await lab.dispatch('DIRECT-1', work(i));
      await lab.sleep(600);
    }
    await lab.finish();
  },
};
