import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'In the place of both nginx run gateways that end WebSocket on both sides: keys, masks and fragments of their own, permessage-deflate ' +
    'between them only, and each answers Pings itself and sends its own. One drops Commands, one CommandAcks, each of one agent; another agent ' +
    'ignores its commands, and the path to one is cut.',
  gateway: {
    nginx: {
      deflateOutward: true,
      pingMs: 1100,
      rules: [{ from: 'agent', types: ['CommandAck', 'CommandResult'], agents: ['GATE-4'] }],
    },
    npm: {
      deflateInward: true,
      pingMs: 1300,
      fragmentOctets: 90,
      rules: [{ from: 'server', types: ['Command'], agents: ['GATE-3'] }],
    },
  },
  captures: { origin: {}, nginx: {}, npm: {} },
  outcomes: {
    'GATE-2': ['reached-agent'],
    'GATE-3': ['not-forwarded'],
    'GATE-4': ['ack-lost'],
    'GATE-5': ['delivered', 'stalled'],
  },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['GATE-2'] },
      { id: 'hop-drops-text', agents: ['GATE-3', 'GATE-4'] },
      { id: 'peer-unreachable', agents: ['GATE-5'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['hop-drops-frames', 'agent-unresponsive', 'protocol-desync', 'middlebox-acks'],
  },
  hypotheses: {
    'GATE-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'GATE-3': { supported: ['proxy-forwarding:npm', 'independent-faults'], open: [] },
    'GATE-4': { supported: ['proxy-forwarding:nginx', 'independent-faults'], open: [] },
    'GATE-5': {
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
    id: `GATE-${n}`,
    site: 1 + (n % 3),
    version: `v${n}`,
    ...(n === 2 ? { ignoreFromConnection: 1 } : {}),
  })),

  async play(lab) {
    await lab.connect();
    await lab.dispatch('GATE-5', work(1));
    await lab.dispatch('GATE-1', HOSTNAME);
    const drop = {
      lastHop: 'nginx',
      lostAt: 'npm',
      what: 'the gateway at npm drops Commands for GATE-3, and noted each',
    };
    lab.fault('GATE-3', { outcome: 'not-forwarded', ...drop });
    const loss = {
      lastHop: 'npm',
      lostAt: 'nginx',
      what: "the gateway at nginx drops GATE-4's CommandAcks and results, and noted each",
    };
    lab.fault('GATE-4', { outcome: 'ack-lost', ...loss });
    await lab.sleep(300);
    lab.impair.blackHole(lab.agents.get('GATE-5').address);
    const what = "iptables DROP of all packets from and to GATE-5's address in the firewall";
    // The gateway's own Pings may be in flight before it.
    lab.fault('GATE-5', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    await lab.dispatch('GATE-5', HOSTNAME);
    for (let i = 0; i < 3; i++) {
      await lab.dispatch('GATE-1', work(i));
      if (i % 2 === 0) for (const n of [2, 3, 4]) await lab.dispatch(`GATE-${n}`, i === 0 ? HOSTNAME : work(i));
      await lab.sleep(250);
    }
    await lab.finish();
  },
};
