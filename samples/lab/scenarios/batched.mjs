import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    'In the place of both nginx run gateways that end WebSocket on both sides. The one at npm gathers the Commands that come within 200 ms into a ' +
    'JSON array, in a Binary message; the one at nginx gathers their answers into JSON lines. One drops Commands, one CommandAcks, each of ' +
    'one agent; another agent ignores its commands, and the path to one is cut.',
  gateway: {
    nginx: {
      batchInwardMs: 150,
      rules: [{ from: 'agent', types: ['CommandAck', 'CommandResult'], agents: ['BATCH-4'] }],
    },
    npm: {
      batchOutwardMs: 200,
      rules: [{ from: 'server', types: ['Command'], agents: ['BATCH-3'] }],
    },
  },
  captures: { origin: {}, nginx: {}, npm: {} },
  outcomes: {
    'BATCH-2': ['reached-agent'],
    'BATCH-3': ['not-forwarded'],
    'BATCH-4': ['ack-lost'],
    'BATCH-5': ['delivered', 'stalled'],
  },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['BATCH-2'] },
      { id: 'hop-drops-text', agents: ['BATCH-3', 'BATCH-4'] },
      { id: 'peer-unreachable', agents: ['BATCH-5'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['hop-drops-frames', 'commands-not-sent', 'dispatch-stalled', 'protocol-desync'],
  },
  hypotheses: {
    'BATCH-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'BATCH-3': { supported: ['proxy-forwarding:npm', 'independent-faults'], open: [] },
    'BATCH-4': { supported: ['proxy-forwarding:nginx', 'independent-faults'], open: [] },
    'BATCH-5': {
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
  server: { maxAttempts: 1, configOctets: 300 },
  agents: [1, 2, 3, 4, 5].map((n) => ({
    id: `BATCH-${n}`,
    site: 1 + (n % 3),
    version: ['v1', 'v2', 'v7', 'v4', 'v8'][n - 1],
    ...(n === 2 ? { ignoreFromConnection: 1 } : {}),
  })),

  async play(lab) {
    const all = (n, ...commands) => Promise.all(commands.map((each) => lab.dispatch(`BATCH-${n}`, each)));
    await lab.connect();
    await all(5, work(1), HOSTNAME);
    const drop = {
      lastHop: 'nginx',
      lostAt: 'npm',
      what: 'the gateway at npm drops Commands for BATCH-3, and noted each',
    };
    lab.fault('BATCH-3', { outcome: 'not-forwarded', ...drop });
    const loss = {
      lastHop: 'npm',
      lostAt: 'nginx',
      what: "the gateway at nginx drops BATCH-4's CommandAcks and results, and noted each",
    };
    lab.fault('BATCH-4', { outcome: 'ack-lost', ...loss });
    await lab.sleep(600);
    lab.impair.blackHole(lab.agents.get('BATCH-5').address);
    const what = "iptables DROP of all packets from and to BATCH-5's address in the firewall";
    // The gateway's own Pings may be in flight before it.
    lab.fault('BATCH-5', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    await all(5, HOSTNAME, LARGE, work(2));
    for (let i = 0; i < 3; i++) {
      await all(1, HOSTNAME, work(i), LARGE);
      for (const n of [2, 3, 4]) await all(n, HOSTNAME, work(i + 1));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
