import { LARGE, work } from '../work.mjs';

export default {
  description:
    'The server itself writes one half of a command to the socket and nothing after it; both nginx pass on the half ' +
    'that they got. Another agent is healthy.',
  outcomes: { 'HALF-ORIGIN': ['stalled'] },
  findings: {
    present: [{ id: 'write-stalled', agents: ['HALF-ORIGIN'] }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'protocol-desync'],
  },
  hypotheses: { 'HALF-ORIGIN': { supported: ['origin-write-path'], open: [] } },
  server: { halfWritten: ['HALF-ORIGIN'], maxAttempts: 1 },
  agents: [
    { id: 'HALF-ORIGIN', site: 2 },
    { id: 'WHOLE-1', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('HALF-ORIGIN', {
      outcome: 'stalled',
      lastHop: null,
      lostAt: 'origin',
      states: { origin: 'partial', nginx: 'partial', npm: 'partial' },
      what: "the server's switch halfWritten: half of the frame is written to the socket, nothing after it",
    });
    for (let i = 0; i < 4; i++) {
      if (i === 1) await lab.dispatch('HALF-ORIGIN', LARGE);
      await lab.dispatch('WHOLE-1', work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
