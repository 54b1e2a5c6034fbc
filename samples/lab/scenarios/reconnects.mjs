import { HOSTNAME, work } from '../work.mjs';

const TIMES = 100;
/** From this connection on the agent ignores its commands. */
const BROKEN = 71;

export default {
  description:
    `One agent closes its connection and connects again ${TIMES} times in half a minute; commands come on every tenth connection, and from ` +
    'its seventieth reconnect on it ignores them, however often they are offered again. Another agent behind the same address stays.',
  captures: { origin: { format: 'gz' }, nginx: { format: 'gz' }, npm: { format: 'gz', outerOnly: true } },
  outcomes: { 'FLAP-1': ['delivered', 'reached-agent'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['FLAP-1'] },
      { id: 'survives-reconnect', agents: ['FLAP-1'] },
      { id: 'changed-after', agents: ['FLAP-1'] },
    ],
    absentIds: ['origin-restarted', 'idle-timeout', 'split-connection', 'agent-unresponsive', 'capture-untrusted'],
  },
  // Most of its connections are closed too soon to show what it still does on them.
  hypotheses: {
    'FLAP-1': {
      supported: ['agent-command-path'],
      open: ['middlebox', 'agent-receive-loop', 'split-connection', 'protocol-desync'],
    },
  },
  server: { maxAttempts: 3, configOctets: 100, pingMs: 150 },
  agents: [
    { id: 'FLAP-1', site: 1, version: 'v1', reconnectMs: 10, ignoreFromConnection: BROKEN },
    { id: 'FLAP-2', site: 1, version: 'v2' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 1; i <= TIMES; i++) {
      await lab.reconnect('FLAP-1', 'reconnect', 60);
      if (i % 10 === 2) await lab.dispatch('FLAP-1', i % 20 === 2 ? HOSTNAME : work(1));
      if (i % 20 === 10) await lab.dispatch('FLAP-2', HOSTNAME);
      await lab.sleep(170);
    }
    await lab.finish();
  },
};
