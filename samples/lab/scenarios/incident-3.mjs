import { HOSTNAME, work } from '../work.mjs';

const agents = Array.from({ length: 12 }, (_, i) => ({
  id: `SITE${1 + (i % 3)}-PC${1 + Math.floor(i / 3)}`,
  site: 1 + (i % 3),
  version: `v${1 + (i % 8)}`,
  ackDelayMs: i < 3 ? 800 : 0,
  reconnectMs: 250 + 40 * i,
}));
const slow = agents.slice(0, 3).map(({ id }) => id);

export default {
  description:
    'Incident 3 as a whole: an SSH handshake of the server stalls, the process is killed twice, each time with commands in flight; all ' +
    'connections end at the same moment, Upgrade requests meet 502, and twelve agents reconnect in a burst.',
  captures: { origin: {}, nginx: { filter: 'tcp port 80 or tcp port 22' }, npm: { outerOnly: true } },
  outcomes: Object.fromEntries(slow.map((id) => [id, ['delivered', 'reached-agent']])),
  findings: {
    present: [
      { id: 'origin-restarted', agents: agents.map(({ id }) => id) },
      { id: 'handshake-stalled', agents: [], note: 'SSH' },
    ],
  },
  hypotheses: {
    'SITE1-PC1': {
      supported: [],
      open: ['middlebox', 'agent-receive-loop', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
    'SITE2-PC1': {
      supported: [],
      open: ['middlebox', 'agent-receive-loop', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
    'SITE3-PC1': {
      supported: [],
      open: ['middlebox', 'agent-receive-loop', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
  },
  mute: [{ ns: 'npm', host: '10.30.0.20', port: 22 }],
  server: { maxAttempts: 1 },
  agents,

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < agents.length; i++) await lab.dispatch(agents[i].id, work(i % 5));
    await lab.sleep(2500);
    for (let run = 0; run < 2; run++) {
      await lab.greet('origin', { host: lab.network.plan.npm.host, port: 22, greeting: 'SSH-2.0-ssh2js1.15.0\r\n' });
      await lab.sleep(2600);
      for (const id of slow) {
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
      await lab.sleep(1200);
      await lab.restartServer();
      for (const id of slow) lab.endFault(id);
      await lab.online(...agents.map(({ id }) => id));
      await lab.sleep(600);
      for (let i = 0; i < agents.length; i++) await lab.dispatch(agents[i].id, work(i % 4));
      await lab.sleep(1500);
    }
    await lab.finish();
  },
};
