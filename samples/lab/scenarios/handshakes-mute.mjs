import { work } from '../work.mjs';

const mute = ['MUTE-1', 'MUTE-2'];

export default {
  description:
    'Handshakes of other kinds that never complete: what listens at port 443 of npm takes TCP connections and never answers a TLS ' +
    'ClientHello, and an SSH client on the host of origin greets a host that never greets back. Another agent is healthy over port 80.',
  captures: {
    origin: {},
    nginx: { filter: 'tcp port 80 or tcp port 22' },
    npm: { filter: '(tcp port 80 or tcp port 443) and not host 10.20.0.10' },
  },
  outcomes: { 'MUTE-1': ['never-sent'], 'MUTE-2': [] },
  findings: {
    present: [
      { id: 'handshake-stalled', agents: [], note: 'TLS at npm from two agents, SSH at nginx' },
      { id: 'commands-not-sent', agents: ['MUTE-1'] },
    ],
  },
  hypotheses: {
    'MUTE-1': {
      supported: [],
      open: [
        'origin-write-path',
        'proxy-forwarding:nginx',
        'proxy-forwarding:npm',
        'network-path',
        'path-mtu',
        'return-path-nat',
        'middlebox',
        'agent-receive-loop',
        'stale-connection',
        'split-connection',
        'protocol-desync',
      ],
    },
  },
  mute: [
    { ns: 'npm', host: '10.30.0.20', port: 443 },
    { ns: 'npm', host: '10.30.0.20', port: 22 },
  ],
  agents: [
    { id: 'MUTE-1', site: 1, tls: { version: 'TLSv1.3' } },
    { id: 'MUTE-2', site: 2, tls: { version: 'TLSv1.2' } },
    { id: 'SPOKEN-1', site: 2 },
  ],

  async play(lab) {
    await lab.connect('SPOKEN-1');
    for (const id of mute) await lab.agents.get(id).call('start');
    await lab.greet('origin', { host: lab.network.plan.npm.host, port: 22, greeting: 'SSH-2.0-OpenSSH_9.2p1\r\n' });
    lab.fault('MUTE-1', {
      outcome: 'never-sent',
      lastHop: null,
      lostAt: 'origin',
      what: 'nothing answers its ClientHello at npm: it has no WebSocket to send on',
    });
    for (let i = 0; i < 5; i++) {
      if (i === 1) await lab.dispatch('MUTE-1', work(0));
      await lab.dispatch('SPOKEN-1', work(i));
      await lab.sleep(600);
    }
    await lab.finish();
  },
};
