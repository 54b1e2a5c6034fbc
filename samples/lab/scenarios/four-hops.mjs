import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "Four hops: in front of NPM stands a haproxy at the network's edge, so that what NPM sees as its client is a proxy. One agent ignores " +
    'its commands, the path to another is cut, and for a third a relay in the place of the origin nginx swallows its CommandAcks.',
  captures: {
    origin: {},
    nginx: {},
    npm: { outerOnly: true },
    edge: { filter: 'tcp port 80 and not host 10.30.0.20' },
  },
  outcomes: { 'FOUR-2': ['reached-agent'], 'FOUR-3': ['delivered', 'stalled'], 'FOUR-4': ['ack-lost'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['FOUR-2'] },
      { id: 'peer-unreachable', agents: ['FOUR-3'] },
      { id: 'hop-drops-text', agents: ['FOUR-4'], note: 'on the way back' },
      { id: 'distinct-failures', agents: ['FOUR-2', 'FOUR-3', 'FOUR-4'] },
    ],
    absentIds: ['capture-untrusted', 'split-connection', 'agent-unresponsive'],
  },
  hypotheses: {
    'FOUR-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'FOUR-3': {
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
    'FOUR-4': { supported: ['proxy-forwarding:nginx', 'independent-faults'], open: [] },
  },
  network: { edges: ['edge'] },
  edges: { edge: 'haproxy' },
  relay: { nginx: [{ from: 'agent', opcodes: [1], types: ['CommandAck', 'CommandResult'], agents: ['FOUR-4'] }] },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'FOUR-1', site: 1, version: 'v1' },
    { id: 'FOUR-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'FOUR-3', site: 2, version: 'v3' },
    { id: 'FOUR-4', site: 2, version: 'v4' },
  ],

  async play(lab) {
    const what = "iptables DROP of all packets from and to FOUR-3's address in the firewall";
    await lab.connect();
    lab.fault('FOUR-4', {
      outcome: 'ack-lost',
      lastHop: 'edge',
      lostAt: 'nginx',
      what: "the relay at nginx drops FOUR-4's CommandAck and CommandResult, and noted each",
    });
    await lab.dispatch('FOUR-3', work(1));
    for (let i = 0; i < 5; i++) {
      if (i === 1) await lab.dispatch('FOUR-2', HOSTNAME);
      if (i === 2) await lab.dispatch('FOUR-4', HOSTNAME);
      await lab.dispatch('FOUR-1', work(i % 4));
      await lab.sleep(300);
    }
    // Right after a Pong nothing is in flight: the command is sent at once, not queued behind a Ping.
    await lab.afterPong('FOUR-3');
    lab.impair.blackHole(lab.agents.get('FOUR-3').address);
    lab.fault('FOUR-3', { outcome: 'stalled', lastHop: 'edge', lostAt: 'edge->agent', what });
    await lab.dispatch('FOUR-3', HOSTNAME);
    await lab.sleep(20);
    lab.fault('FOUR-3', { outcome: 'stalled', lastHopAnyOf: ['edge', 'npm'], lostAt: 'edge->agent', what });
    await lab.finish();
  },
};
