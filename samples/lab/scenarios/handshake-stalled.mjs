import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "One agent's Upgrade request passes both proxies and the server takes it and never answers: TCP is open on every " +
    'leg, no WebSocket ever is. A command asked for it is never sent. Another agent is healthy.',
  outcomes: { 'HUNG-1': ['never-sent'] },
  findings: {
    present: [
      { id: 'handshake-stalled', agents: [], note: 'the server never learned which agent it is' },
      { id: 'commands-not-sent', agents: ['HUNG-1'] },
    ],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'hop-drops-text'],
  },
  hypotheses: {
    'HUNG-1': {
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
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  server: { neverUpgrade: ['v7'] },
  agents: [
    { id: 'HUNG-1', site: 1, version: 'v7' },
    { id: 'FINE-1', site: 2, version: 'v1' },
  ],

  async play(lab) {
    await lab.connect('FINE-1');
    await lab.agents.get('HUNG-1').call('start');
    lab.fault('HUNG-1', {
      outcome: 'never-sent',
      lastHop: null,
      lostAt: 'origin',
      what: "the server's switch neverUpgrade: HUNG-1 has no WebSocket to send on",
    });
    for (let i = 0; i < 4; i++) {
      if (i === 1) await lab.dispatch('HUNG-1', HOSTNAME);
      await lab.dispatch('FINE-1', work(i));
      await lab.sleep(600);
    }
    await lab.finish();
  },
};
