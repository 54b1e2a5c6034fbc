import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'In the place of the origin nginx runs a relay that drops CommandAck and CommandResult of one agent on the way ' +
    'back; its Heartbeats and Pongs pass. The agent received and ran every command.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'PRINT-02': ['ack-lost'] },
  findings: {
    present: [{ id: 'hop-drops-text', agents: ['PRINT-02'], note: 'on the way back' }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'agent-unresponsive'],
  },
  hypotheses: { 'PRINT-02': { supported: ['proxy-forwarding:nginx'], open: [] } },
  relay: { nginx: [{ from: 'agent', opcodes: [1], types: ['CommandAck', 'CommandResult'], agents: ['PRINT-02'] }] },
  server: { maxAttempts: 3, idStyle: 'number' },
  agents: [
    { id: 'PRINT-01', site: 1, version: 'v5' },
    { id: 'PRINT-02', site: 2, version: 'v5' },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('PRINT-02', {
      outcome: 'ack-lost',
      lastHop: 'npm',
      lostAt: 'nginx',
      what: "the relay at nginx drops PRINT-02's CommandAck and CommandResult, and noted each",
    });
    for (let i = 0; i < 8; i++) {
      if (i === 1) await lab.dispatch('PRINT-02', HOSTNAME);
      if (i === 4) await lab.dispatch('PRINT-02', work(2));
      await lab.dispatch('PRINT-01', work(i));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
