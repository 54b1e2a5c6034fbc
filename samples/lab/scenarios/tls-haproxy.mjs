import { HOSTNAME, work } from '../work.mjs';

const tls = (version, ciphers) => ({ version, ciphers });

export default {
  description:
    'npm is a haproxy that ends TLS, 1.3 and 1.2; the agents wrote a key log, and so did haproxy. One agent of each version ignores its ' +
    'commands, and the path to another of each is cut.',
  haproxy: true,
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: {
    'IGNORES-13': ['reached-agent'],
    'IGNORES-12': ['reached-agent'],
    'CUT-13': ['delivered', 'stalled'],
    'CUT-12': ['delivered', 'stalled'],
  },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['IGNORES-13', 'IGNORES-12'] },
      { id: 'peer-unreachable', agents: ['CUT-13', 'CUT-12'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['agent-unresponsive', 'hop-drops-text', 'protocol-desync', 'handshake-stalled'],
  },
  hypotheses: {
    'IGNORES-13': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'IGNORES-12': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'CUT-13': {
      supported: ['network-path', 'independent-faults'],
      open: [
        'return-path-nat',
        'middlebox',
        'agent-receive-loop',
        'agent-command-path',
        'stale-connection',
        'split-connection',
      ],
    },
    'CUT-12': {
      supported: ['network-path', 'independent-faults'],
      open: [
        'return-path-nat',
        'middlebox',
        'agent-receive-loop',
        'agent-command-path',
        'stale-connection',
        'split-connection',
      ],
    },
  },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'WORKS-13', version: 'v1', tls: tls('TLSv1.3') },
    { id: 'WORKS-12', version: 'v2', tls: tls('TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256') },
    { id: 'WORKS-RSA', version: 'v3', tls: tls('TLSv1.2', 'AES128-SHA:@SECLEVEL=0') },
    { id: 'IGNORES-13', version: 'v4', tls: tls('TLSv1.3'), ignoreFromConnection: 1 },
    { id: 'IGNORES-12', version: 'v5', tls: tls('TLSv1.2'), ignoreFromConnection: 1 },
    { id: 'CUT-13', version: 'v1', tls: tls('TLSv1.3') },
    { id: 'CUT-12', version: 'v2', tls: tls('TLSv1.2') },
  ].map((agent, i) => ({ ...agent, site: 1 + (i % 3) })),

  async play(lab) {
    const working = ['WORKS-13', 'WORKS-12', 'WORKS-RSA'];
    await lab.connect();
    for (const agent of ['CUT-13', 'CUT-12', 'IGNORES-13', 'IGNORES-12', ...working]) {
      await lab.dispatch(agent, HOSTNAME);
      await lab.sleep(60);
    }
    for (const agent of ['CUT-13', 'CUT-12']) {
      await lab.afterPong(agent);
      lab.impair.blackHole(lab.agents.get(agent).address);
      const what = `iptables DROP of all packets from and to ${agent}'s address in the firewall`;
      lab.fault(agent, { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
      await lab.dispatch(agent, HOSTNAME);
    }
    for (let i = 0; i < 6; i++) {
      await lab.dispatch(working[i % 3], work(i));
      await lab.sleep(120);
    }
    await lab.dispatch('IGNORES-12', work(2));
    await lab.finish();
  },
};
