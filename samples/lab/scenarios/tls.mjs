import { HOSTNAME, LARGE, work } from '../work.mjs';

const version13 = (ciphers) => ({ version: 'TLSv1.3', ciphers });
const version12 = (ciphers) => ({ version: 'TLSv1.2', ciphers });

export default {
  description:
    'npm ends TLS, 1.3 and 1.2 with one cipher suite for each agent, and the agents wrote a key log. One agent ignores its ' +
    'commands, and the path to another is cut.',
  captures: { origin: {}, nginx: {}, npm: {} },
  outcomes: { 'TLS-IGNORES': ['reached-agent'], 'TLS-CUT': ['delivered', 'stalled'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['TLS-IGNORES'] },
      { id: 'peer-unreachable', agents: ['TLS-CUT'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['agent-unresponsive', 'hop-drops-text', 'protocol-desync'],
  },
  hypotheses: {
    'TLS-IGNORES': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'TLS-CUT': {
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
  server: { maxAttempts: 2, reaperMs: 1500, deflate: true },
  agents: [
    { id: 'TLS-GCM128', version: 'v1', tls: version13('TLS_AES_128_GCM_SHA256') },
    { id: 'TLS-GCM256', version: 'v2', tls: version13('TLS_AES_256_GCM_SHA384'), deflate: true },
    { id: 'TLS-CHACHA', version: 'v3', tls: version13('TLS_CHACHA20_POLY1305_SHA256') },
    { id: 'TLS12-GCM', version: 'v4', tls: version12('ECDHE-RSA-AES256-GCM-SHA384') },
    { id: 'TLS12-CBC', version: 'v5', tls: version12('ECDHE-RSA-AES128-SHA256:@SECLEVEL=0') },
    { id: 'TLS12-CHACHA', version: 'v6', tls: version12('ECDHE-RSA-CHACHA20-POLY1305') },
    { id: 'TLS-IGNORES', version: 'v1', tls: version13(), ignoreFromConnection: 1 },
    { id: 'TLS-CUT', version: 'v2', tls: version13() },
  ].map((agent, i) => ({ ...agent, site: 1 + (i % 3) })),

  async play(lab) {
    const healthy = ['TLS-GCM128', 'TLS-GCM256', 'TLS-CHACHA', 'TLS12-GCM', 'TLS12-CBC', 'TLS12-CHACHA'];
    await lab.connect();
    await lab.dispatch('TLS-CUT', HOSTNAME);
    await lab.dispatch('TLS-IGNORES', HOSTNAME);
    for (let i = 0; i < 12; i++) {
      await lab.dispatch(healthy[i % 6], i < 6 ? work(i) : LARGE);
      await lab.sleep(150);
    }
    await lab.afterPong('TLS-CUT');
    lab.impair.blackHole(lab.agents.get('TLS-CUT').address);
    const what = "iptables DROP of all packets from and to TLS-CUT's address in the firewall";
    lab.fault('TLS-CUT', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('TLS-CUT', HOSTNAME);
    await lab.sleep(20);
    // With the first one unanswered, the others leave npm's kernel or wait in it, as its congestion window has it.
    lab.fault('TLS-CUT', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    await lab.dispatch('TLS-CUT', work(3));
    for (const agent of healthy) {
      await lab.dispatch(agent, HOSTNAME);
      await lab.sleep(100);
    }
    await lab.finish();
  },
};
