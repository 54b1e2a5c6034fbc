import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    'After one agent has connected, packets of more than 1000 octets towards it vanish without an ICMP message: ' +
    'small commands arrive, the large one is retransmitted and never TCP-ACKed.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'VPN-6': ['delivered', 'stalled'] },
  findings: {
    present: [{ id: 'large-frames-lost', agents: ['VPN-6'] }],
    absentIds: ['agent-ignores-commands', 'hop-drops-text'],
  },
  hypotheses: { 'VPN-6': { supported: ['network-path', 'path-mtu'], open: ['middlebox', 'stale-connection'] } },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'VPN-5', site: 1 },
    { id: 'VPN-6', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.impair.mtuBlackHole(lab.agents.get('VPN-6').address, 1000);
    await lab.dispatch('VPN-6', HOSTNAME);
    await lab.dispatch('VPN-6', work(1));
    for (let i = 0; i < 5; i++) {
      await lab.dispatch('VPN-5', work(i + 1));
      await lab.sleep(300);
    }
    await lab.afterPong('VPN-6');
    lab.fault('VPN-6', {
      outcome: 'stalled',
      lastHop: 'npm',
      lostAt: 'npm->agent',
      what: 'iptables DROP of packets longer than 1000 octets towards VPN-6; the command has 4 KB',
    });
    await lab.dispatch('VPN-6', LARGE);
    await lab.dispatch('VPN-5', LARGE);
    await lab.finish();
  },
};
