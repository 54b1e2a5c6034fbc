import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "Past the last capture, a box on one agent's path ends TCP itself, passes everything 250 ms later and drops " +
    'Commands: TCP ACKs come back at once, Pongs never in under half a second, and no CommandAck at all.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'BRANCH-9': ['reached-agent'] },
  findings: {
    present: [{ id: 'middlebox-acks', agents: ['BRANCH-9'] }],
    absentIds: ['peer-unreachable', 'hop-drops-text'],
  },
  hypotheses: { 'BRANCH-9': { supported: ['middlebox'], open: ['network-path', 'path-mtu', 'agent-command-path'] } },
  middlebox: {
    site: 2,
    delayMs: 250,
    rules: [{ from: 'server', opcodes: [1], types: ['Command'], agents: ['BRANCH-9'] }],
  },
  server: { maxAttempts: 2, pingMs: 1000 },
  agents: [
    { id: 'BRANCH-8', site: 1 },
    { id: 'BRANCH-9', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('BRANCH-9', {
      outcome: 'reached-agent',
      lastHop: 'npm',
      lostAt: 'agent',
      what: 'the box past the last capture TCP-ACKed and dropped it; no capture here can tell box from agent',
    });
    for (let i = 0; i < 6; i++) {
      if (i === 1) await lab.dispatch('BRANCH-9', HOSTNAME);
      await lab.dispatch('BRANCH-8', work(i));
      await lab.sleep(600);
    }
    await lab.finish();
  },
};
