import { LARGE, work } from '../work.mjs';

export default {
  description:
    'A write that stops half way: a relay in the place of NPM writes one half of a command and nothing after it on ' +
    "that agent's connection. Another agent is healthy.",
  captures: { origin: {}, nginx: {}, npm: { iface: 'any' } },
  outcomes: { 'HALF-NPM': ['stalled'] },
  findings: {
    present: [{ id: 'write-stalled', agents: ['HALF-NPM'] }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'protocol-desync'],
  },
  hypotheses: { 'HALF-NPM': { supported: ['proxy-forwarding:npm'], open: [] } },
  relay: { npm: [{ from: 'server', opcodes: [1], types: ['Command'], agents: ['HALF-NPM'], half: true }] },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'HALF-NPM', site: 1 },
    { id: 'WHOLE-1', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('HALF-NPM', {
      outcome: 'stalled',
      lastHop: 'nginx',
      lostAt: 'npm',
      states: { origin: 'tcp-acked', nginx: 'tcp-acked', npm: 'partial' },
      what: 'the relay at npm wrote half of the frame, and noted it',
    });
    await lab.dispatch('HALF-NPM', LARGE);
    for (let i = 0; i < 4; i++) {
      await lab.dispatch('WHOLE-1', work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
