import { work } from '../work.mjs';

export default {
  description:
    "A wrong outbound NAT: what is answered to one agent's machine leaves the firewall with npm's own address in place of the one that " +
    "the agent connects to, so that its TCP never opens. npm's capture was taken on the firewall's outer side. Another agent of the " +
    'same site is healthy.',
  captures: { origin: {}, nginx: {}, npm: { ns: 'fw', iface: 'site1', filter: 'tcp port 80' } },
  outcomes: { 'WAN-1': ['never-sent'] },
  findings: {
    present: [
      { id: 'reply-address-mismatch', agents: [], note: 'an agent that never connects is not known by name' },
      { id: 'commands-not-sent', agents: ['WAN-1'] },
    ],
  },
  hypotheses: {
    'WAN-1': {
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
  agents: [
    { id: 'WAN-1', site: 1 },
    { id: 'WAN-2', site: 1 },
  ],

  async play(lab) {
    lab.impair.wrongReplyAddress(1, lab.agents.get('WAN-1').address);
    await lab.connect('WAN-2');
    await lab.agents.get('WAN-1').call('start');
    lab.fault('WAN-1', {
      outcome: 'never-sent',
      lastHop: null,
      lostAt: 'origin',
      what: "answers to WAN-1 leave with npm's own address: its kernel resets them, and it never connects",
    });
    for (let i = 0; i < 5; i++) {
      if (i === 2) await lab.dispatch('WAN-1', work(0));
      await lab.dispatch('WAN-2', work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
