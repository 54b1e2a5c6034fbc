import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    "The link to one agent's site takes packets of 1000 octets at most. The firewall says so to npm by ICMP, and the host of npm " +
    'drops these messages: small commands arrive, the large one is sent again and again. Another agent is healthy.',
  captures: { origin: {}, nginx: {}, npm: { filter: '(tcp port 80 and not host 10.20.0.10) or icmp' } },
  outcomes: { 'VPN-8': ['delivered', 'stalled'] },
  findings: { present: [{ id: 'large-frames-lost', agents: ['VPN-8'] }] },
  hypotheses: { 'VPN-8': { supported: ['network-path', 'path-mtu'], open: ['middlebox', 'stale-connection'] } },
  server: { maxAttempts: 1, configOctets: 600 },
  agents: [
    { id: 'VPN-7', site: 1 },
    { id: 'VPN-8', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.impair.smallLink(2, 1000);
    for (let i = 0; i < 4; i++) {
      await lab.dispatch('VPN-8', work(i % 2));
      await lab.dispatch('VPN-7', work(i + 1));
      await lab.sleep(300);
    }
    await lab.afterPong('VPN-8');
    lab.fault('VPN-8', {
      outcome: 'stalled',
      lastHop: 'npm',
      lostAt: 'npm->agent',
      what: "the link to VPN-8 has an MTU of 1000, and npm's host drops the ICMP messages; the command has 4 KB",
    });
    await lab.dispatch('VPN-8', LARGE);
    await lab.dispatch('VPN-7', LARGE);
    await lab.dispatch('VPN-7', HOSTNAME);
    await lab.finish();
  },
};
