import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Two encrypted legs: npm (nginx) ends TLS and speaks TLS to the origin, where haproxy ends it. The agents wrote the key log of the ' +
    "outer leg, haproxy that of the inner one; npm's capture holds both. One agent ignores its commands, the path to another is cut.",
  innerTls: true,
  captures: { origin: {}, nginx: { filter: 'tcp port 443 or icmp' }, npm: {} },
  outcomes: { 'INNER-IGNORES': ['reached-agent'], 'INNER-CUT': ['delivered', 'stalled'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['INNER-IGNORES'] },
      { id: 'peer-unreachable', agents: ['INNER-CUT'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['agent-unresponsive', 'hop-drops-text', 'protocol-desync', 'handshake-stalled'],
  },
  hypotheses: {
    'INNER-IGNORES': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'INNER-CUT': {
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
  server: { maxAttempts: 2, reaperMs: 1500 },
  agents: [
    { id: 'INNER-1', site: 1, version: 'v1', tls: { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } },
    { id: 'INNER-2', site: 2, version: 'v2', tls: { version: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' } },
    { id: 'INNER-IGNORES', site: 1, version: 'v3', tls: { version: 'TLSv1.3' }, ignoreFromConnection: 1 },
    { id: 'INNER-CUT', site: 2, version: 'v4', tls: { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' } },
  ],

  async play(lab) {
    await lab.connect();
    await lab.dispatch('INNER-CUT', HOSTNAME);
    await lab.dispatch('INNER-IGNORES', HOSTNAME);
    for (let i = 0; i < 6; i++) {
      await lab.dispatch(`INNER-${1 + (i % 2)}`, work(i));
      await lab.sleep(150);
    }
    await lab.afterPong('INNER-CUT');
    lab.impair.blackHole(lab.agents.get('INNER-CUT').address);
    const what = "iptables DROP of all packets from and to INNER-CUT's address in the firewall";
    lab.fault('INNER-CUT', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('INNER-CUT', HOSTNAME);
    await lab.finish();
  },
};
