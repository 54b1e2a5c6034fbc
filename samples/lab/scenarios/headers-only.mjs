import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    'Captures as tcpdump once took them: origin with -s 68 and npm with -s 60, so that of each packet little more than the headers is there; ' +
    "only nginx's is whole, and taken on all interfaces, so that it holds its connection to the server, too. One agent ignores its commands, " +
    'the path to another is cut; the commands of two agents on the same site work.',
  captures: {
    origin: { snap: 68 },
    nginx: { iface: 'any', filter: 'tcp port 80 or tcp port 3001 or icmp or icmp6' },
    npm: { outerOnly: true, snap: 60 },
  },
  outcomes: { 'PAY-2': ['reached-agent'], 'PAY-3': ['delivered', 'stalled'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['PAY-2'] },
      { id: 'peer-unreachable', agents: ['PAY-3'] },
      { id: 'distinct-failures', agents: ['PAY-2', 'PAY-3'] },
      { id: 'capture-untrusted', agents: [] },
    ],
    absentIds: ['hop-drops-text', 'hop-drops-frames', 'agent-unresponsive', 'split-connection'],
  },
  hypotheses: {
    'PAY-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'PAY-3': {
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
  server: { maxAttempts: 2 },
  agents: [
    { id: 'PAY-1', site: 1, version: 'v2' },
    { id: 'PAY-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'PAY-3', site: 2, version: 'v2' },
    { id: 'PAY-4', site: 2, version: 'v2' },
  ],

  async play(lab) {
    const what = "iptables DROP of all packets from and to PAY-3's address in the firewall";
    await lab.connect();
    await lab.dispatch('PAY-3', work(1));
    for (let i = 0; i < 8; i++) {
      if (i === 1) await lab.dispatch('PAY-2', HOSTNAME);
      if (i === 4) await lab.dispatch('PAY-2', LARGE);
      await lab.dispatch(i % 2 === 0 ? 'PAY-1' : 'PAY-4', work(i));
      await lab.sleep(300);
    }
    // Right after a Pong nothing is in flight: the command is sent at once, not queued behind a Ping.
    await lab.afterPong('PAY-3');
    lab.impair.blackHole(lab.agents.get('PAY-3').address);
    lab.fault('PAY-3', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('PAY-3', HOSTNAME);
    await lab.finish();
  },
};
