import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "npm's host is reached through VXLAN, and captured outside of it (udp port 4789), into a file for each direction, as the ports of a " +
    'tap give them. At nginx two rotated captures run at once, so that their files overlap. One agent ignores its commands, the path ' +
    'to another is cut.',
  captures: { origin: {}, nginx: { rotate: 4, twice: true }, npm: { filter: 'udp port 4789', directions: true } },
  outcomes: { 'VX-2': ['reached-agent'], 'VX-3': ['delivered', 'stalled'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['VX-2'] },
      { id: 'peer-unreachable', agents: ['VX-3'] },
      { id: 'distinct-failures', agents: ['VX-2', 'VX-3'] },
    ],
    absentIds: ['capture-untrusted', 'reply-address-mismatch', 'split-connection', 'hop-drops-text'],
  },
  hypotheses: {
    'VX-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'VX-3': {
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
  network: { vxlan: true },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'VX-1', site: 1, version: 'v1' },
    { id: 'VX-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'VX-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    const what = "iptables DROP of all packets from and to VX-3's address in the firewall";
    await lab.connect();
    await lab.dispatch('VX-3', work(1));
    for (let i = 0; i < 6; i++) {
      if (i === 1) await lab.dispatch('VX-2', HOSTNAME);
      await lab.dispatch('VX-1', work(i % 5));
      await lab.sleep(300);
    }
    // Right after a Pong nothing is in flight: the command is sent at once, not queued behind a Ping.
    await lab.afterPong('VX-3');
    lab.impair.blackHole(lab.agents.get('VX-3').address);
    lab.fault('VX-3', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('VX-3', HOSTNAME);
    await lab.sleep(20);
    lab.fault('VX-3', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    await lab.finish();
  },
};
