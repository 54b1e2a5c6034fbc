import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "One agent's process is stopped (SIGSTOP): its kernel goes on to TCP-ACK Pings and commands, and neither Pong " +
    'nor any message returns. Two other agents are healthy.',
  captures: { origin: {}, nginx: {}, npm: { format: 'gz', outerOnly: true } },
  outcomes: { 'POS-11': ['delivered', 'reached-agent'] },
  findings: {
    present: [{ id: 'agent-unresponsive', agents: ['POS-11'] }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'receiver-window-closed'],
  },
  hypotheses: {
    'POS-11': {
      supported: ['agent-receive-loop'],
      open: ['middlebox', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
  },
  server: { maxAttempts: 3, reaperMs: 1500, idStyle: 'short' },
  agents: [
    { id: 'POS-10', site: 1, version: 'v4' },
    { id: 'POS-11', site: 1, version: 'v4' },
    { id: 'POS-12', site: 2, version: 'v4' },
  ],

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 4; i++) await lab.dispatch(`POS-1${i % 3}`, work(i));
    await lab.sleep(600);
    lab.stop('POS-11');
    lab.fault('POS-11', {
      outcome: 'reached-agent',
      lastHop: 'npm',
      lostAt: 'agent',
      what: "SIGSTOP of POS-11's process; its kernel lives",
    });
    await lab.dispatch('POS-11', HOSTNAME);
    for (let i = 0; i < 6; i++) {
      if (i === 2) await lab.dispatch('POS-11', work(3));
      await lab.dispatch(`POS-1${i % 2 ? 0 : 2}`, work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
