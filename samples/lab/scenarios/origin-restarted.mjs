import { HOSTNAME, work } from '../work.mjs';

const agents = [1, 2, 3, 4, 5].map((n) => ({
  id: `NODE-${n}`,
  site: 1 + (n % 3),
  version: n % 2 ? 'v1' : 'v2',
  ackDelayMs: n <= 2 ? 900 : 0,
}));

export default {
  description:
    "Incident 3: the server's process is killed; all connections end at the same moment, two commands in flight are " +
    'never answered, Upgrade requests meet 502, and when the server is back the fleet reconnects in a burst.',
  captures: { origin: {}, nginx: { format: 'gz' }, npm: { outerOnly: true } },
  outcomes: { 'NODE-1': ['delivered', 'reached-agent'], 'NODE-2': ['delivered', 'reached-agent'] },
  findings: {
    present: [{ id: 'origin-restarted', agents: agents.map(({ id }) => id) }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'hop-drops-text'],
  },
  hypotheses: {
    'NODE-1': {
      supported: [],
      open: ['middlebox', 'agent-receive-loop', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
    'NODE-2': {
      supported: [],
      open: ['middlebox', 'agent-receive-loop', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
  },
  agents,

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 5; i++) await lab.dispatch(agents[i].id, work(i));
    await lab.sleep(2500);
    for (const id of ['NODE-1', 'NODE-2']) {
      lab.fault(id, {
        outcome: 'reached-agent',
        lastHop: 'npm',
        lostAt: 'agent',
        what: 'SIGKILL of the server after the agent had the command and before its CommandAck',
      });
      await lab.dispatch(id, HOSTNAME);
    }
    await lab.sleep(200);
    await lab.killServer();
    await lab.sleep(1500);
    await lab.restartServer();
    for (const id of ['NODE-1', 'NODE-2']) lab.endFault(id);
    await lab.online(...agents.map(({ id }) => id));
    await lab.sleep(500);
    for (let i = 0; i < 5; i++) await lab.dispatch(agents[i].id, work(i + 1));
    await lab.finish();
  },
};
