import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "Apache's httpd in the place of both nginx: mod_proxy_wstunnel at the origin, mod_proxy_http with upgrade=websocket at npm. One agent " +
    'ignores its commands, the path to another is cut.',
  apache: { nginx: 'wstunnel', npm: 'http' },
  captures: { origin: {}, nginx: {}, npm: {} },
  outcomes: { 'APACHE-2': ['reached-agent'], 'APACHE-3': ['delivered', 'stalled'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['APACHE-2'] },
      { id: 'peer-unreachable', agents: ['APACHE-3'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['hop-drops-text', 'hop-drops-frames', 'protocol-desync', 'middlebox-acks'],
  },
  hypotheses: {
    'APACHE-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'APACHE-3': {
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
  server: { maxAttempts: 1, deflate: true, configOctets: 600 },
  agents: [
    { id: 'APACHE-1', site: 1, version: 'v1', deflate: true },
    { id: 'APACHE-2', site: 2, version: 'v2', ignoreFromConnection: 1 },
    { id: 'APACHE-3', site: 3, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    await lab.dispatch('APACHE-3', work(1));
    await lab.dispatch('APACHE-1', work(2));
    await lab.afterPong('APACHE-3');
    lab.impair.blackHole(lab.agents.get('APACHE-3').address);
    const what = "iptables DROP of all packets from and to APACHE-3's address in the firewall";
    lab.fault('APACHE-3', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('APACHE-3', HOSTNAME);
    for (let i = 0; i < 6; i++) {
      await lab.dispatch('APACHE-1', work(i));
      if (i % 3 === 0) await lab.dispatch('APACHE-2', i === 0 ? HOSTNAME : work(i));
      await lab.sleep(200);
    }
    await lab.finish();
  },
};
