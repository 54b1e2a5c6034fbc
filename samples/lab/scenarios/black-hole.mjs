import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'The path to one agent is cut after it has connected (DROP in the firewall, both directions, no RST): ' +
    'its commands leave npm, or wait there behind others, and are never TCP-ACKed. Two other agents are healthy.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'KIOSK-4': ['delivered', 'stalled'] },
  findings: {
    present: [{ id: 'peer-unreachable', agents: ['KIOSK-4'] }],
    absentIds: ['agent-ignores-commands', 'agent-unresponsive', 'hop-drops-text'],
  },
  hypotheses: {
    'KIOSK-4': {
      supported: ['network-path'],
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
  server: { maxAttempts: 3, reaperMs: 1500 },
  agents: [
    { id: 'KIOSK-4', site: 1, version: 'v2' },
    { id: 'KIOSK-5', site: 2, version: 'v2' },
    { id: 'KIOSK-6', site: 2, version: 'v2' },
  ],

  async play(lab) {
    const what = "iptables DROP of all packets from and to KIOSK-4's address in the firewall";
    await lab.connect();
    await lab.dispatch('KIOSK-4', work(1));
    for (let i = 0; i < 4; i++) await lab.dispatch(`KIOSK-${5 + (i % 2)}`, work(i));
    // Right after a Pong nothing is in flight, so that the first command is sent at once, not queued behind a Ping.
    await lab.afterPong('KIOSK-4');
    lab.impair.blackHole(lab.agents.get('KIOSK-4').address);
    lab.fault('KIOSK-4', { outcome: 'stalled', lastHop: 'npm', lostAt: 'npm->agent', what });
    await lab.dispatch('KIOSK-4', HOSTNAME);
    await lab.sleep(20);
    // With the first one unanswered, the others leave npm's kernel or wait in it, as its congestion window has it.
    lab.fault('KIOSK-4', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    for (let i = 0; i < 6; i++) {
      if (i % 3 === 0) await lab.dispatch('KIOSK-4', work(i));
      await lab.dispatch(`KIOSK-${5 + (i % 2)}`, work(i + 1));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
