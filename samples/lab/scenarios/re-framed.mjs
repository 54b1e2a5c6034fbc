import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    'In the place of the origin nginx runs a relay that writes frames of its own: commands leave it in two fragments, messages from the ' +
    "agents with other masking keys. It drops one agent's Commands; another agent ignores its own.",
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'FRAME-2': ['reached-agent'], 'FRAME-3': ['not-forwarded'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: ['FRAME-2'] },
      { id: 'hop-drops-text', agents: ['FRAME-3'] },
      { id: 'distinct-failures' },
    ],
    absentIds: ['peer-unreachable', 'hop-drops-frames', 'protocol-desync'],
  },
  hypotheses: {
    'FRAME-2': { supported: ['agent-command-path', 'independent-faults'], open: ['middlebox'] },
    'FRAME-3': { supported: ['proxy-forwarding:nginx', 'independent-faults'], open: [] },
  },
  relay: {
    nginx: { reframe: true, rules: [{ from: 'server', opcodes: [1], types: ['Command'], agents: ['FRAME-3'] }] },
  },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'FRAME-1', site: 1, version: 'v1' },
    { id: 'FRAME-2', site: 2, version: 'v2', ignoreFromConnection: 1 },
    { id: 'FRAME-3', site: 3, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('FRAME-3', {
      outcome: 'not-forwarded',
      lastHop: 'origin',
      lostAt: 'nginx',
      what: 'the relay at nginx drops Text frames with Commands for FRAME-3, and noted each',
    });
    for (let i = 0; i < 8; i++) {
      if (i === 1) await lab.dispatch('FRAME-2', HOSTNAME);
      if (i === 2) await lab.dispatch('FRAME-3', LARGE);
      if (i === 4) await lab.dispatch('FRAME-2', work(2));
      if (i === 5) await lab.dispatch('FRAME-3', HOSTNAME);
      await lab.dispatch('FRAME-1', work(i));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
