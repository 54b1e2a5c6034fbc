import { HOSTNAME, work } from '../work.mjs';

const SHARED = 40001;

export default {
  description:
    'Three agents behind one address always connect from the same port, one after the other: what leaves the site is one four-tuple for all ' +
    'of their connections. A fourth, with a port of its own, ends each of its connections by RST and connects again within milliseconds. ' +
    'REUSE-B ignores its commands.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'REUSE-B': ['reached-agent'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['REUSE-B'] },
      { id: 'survives-reconnect', agents: ['REUSE-B'] },
    ],
    absentIds: [
      'reply-address-mismatch',
      'split-connection',
      'agent-unresponsive',
      'protocol-desync',
      'capture-untrusted',
    ],
  },
  hypotheses: { 'REUSE-B': { supported: ['agent-command-path'], open: ['middlebox'] } },
  // What is over frees its port in the firewall's table at once.
  network: {
    sysctl: {
      fw: {
        'net.netfilter.nf_conntrack_tcp_timeout_time_wait': 0,
        'net.netfilter.nf_conntrack_tcp_timeout_close': 0,
        'net.netfilter.nf_conntrack_tcp_timeout_last_ack': 1,
      },
    },
  },
  server: { maxAttempts: 1, configOctets: 300, pingMs: 500 },
  agents: [
    ...['REUSE-A', 'REUSE-B', 'REUSE-C'].map((id, i) => ({
      id,
      site: 1,
      version: `v${i + 1}`,
      localPort: SHARED,
      reconnectMs: 0,
      ignoreFromConnection: id === 'REUSE-B' ? 1 : 0,
    })),
    { id: 'REUSE-D', site: 1, version: 'v4', localPort: 40002, reconnectMs: 5 },
  ],

  async play(lab) {
    await lab.connect('REUSE-D');
    for (let round = 0; round < 2; round++) {
      for (const id of ['REUSE-A', 'REUSE-B', 'REUSE-C']) {
        await lab.connect(id);
        await lab.dispatch(id, round === 0 ? HOSTNAME : work(1));
        // Past the deadline of what is not answered.
        await lab.sleep(id === 'REUSE-B' ? 3300 : 700);
        await lab.agents.get(id).call('reconnect');
        await lab.gone(id);
        await lab.reconnect('REUSE-D', 'reset', 100);
        await lab.dispatch('REUSE-D', HOSTNAME);
        await lab.sleep(400);
      }
    }
    await lab.finish();
  },
};
