import { HOSTNAME, work } from '../work.mjs';

const UNSEEN = ['proxy-forwarding:nginx', 'proxy-forwarding:npm', 'network-path', 'path-mtu'];

const undecided = (what) => ({ outcome: 'inconclusive', lastHop: 'nginx', states: { origin: 'tcp-acked' }, what });

export default {
  description:
    'Filters that take one direction only: at nginx what goes towards the agents (tcp src port 80), at npm what comes from them (tcp dst port ' +
    '80). One agent ignores its commands, the path to another is cut: no capture holds what npm sent to them, nor the TCP ACKs of what nginx ' +
    'sent, so nothing further than nginx is proven.',
  captures: {
    origin: {},
    nginx: { filter: 'tcp src port 80', oneWay: 'outward' },
    npm: { filter: 'tcp dst port 80 and not host 10.20.0.10', oneWay: 'inward' },
  },
  outcomes: { 'ONEWAY-2': ['inconclusive'], 'ONEWAY-3': ['delivered', 'inconclusive'] },
  findings: {
    present: [{ id: 'capture-untrusted', note: 'of nginx and npm' }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'hop-drops-text', 'hop-drops-frames', 'split-connection'],
  },
  hypotheses: {
    'ONEWAY-2': {
      supported: [],
      open: [...UNSEEN, 'middlebox', 'agent-command-path', 'protocol-desync', 'independent-faults'],
    },
    'ONEWAY-3': {
      supported: [],
      open: [
        ...UNSEEN,
        'return-path-nat',
        'middlebox',
        'agent-receive-loop',
        'agent-command-path',
        'stale-connection',
        'protocol-desync',
        'independent-faults',
      ],
    },
  },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'ONEWAY-1', site: 1, version: 'v1' },
    { id: 'ONEWAY-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'ONEWAY-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('ONEWAY-2', undecided('ignores its commands; no capture holds what npm sent'));
    await lab.dispatch('ONEWAY-3', work(1));
    for (let i = 0; i < 7; i++) {
      if (i === 1) await lab.dispatch('ONEWAY-2', HOSTNAME);
      await lab.dispatch('ONEWAY-1', work(i % 5));
      await lab.sleep(300);
    }
    await lab.afterPong('ONEWAY-3');
    lab.impair.blackHole(lab.agents.get('ONEWAY-3').address);
    const what = "iptables DROP of all packets from and to ONEWAY-3's address in the firewall";
    lab.fault('ONEWAY-3', undecided(`${what}; no capture holds what npm sent`));
    await lab.dispatch('ONEWAY-3', HOSTNAME);
    await lab.finish();
  },
};
