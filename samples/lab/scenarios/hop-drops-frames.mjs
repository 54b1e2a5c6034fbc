import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'In the place of the origin nginx runs a relay that forwards nothing from the server on the connection of one ' +
    'agent: its Pings are lost as its commands are, while its Heartbeats arrive. Another agent is healthy.',
  outcomes: { 'HV-01': ['not-forwarded'] },
  findings: {
    present: [{ id: 'hop-drops-frames', agents: ['HV-01'] }],
    absentIds: ['agent-ignores-commands', 'agent-unresponsive', 'peer-unreachable', 'hop-drops-text'],
  },
  hypotheses: { 'HV-01': { supported: ['proxy-forwarding:nginx'], open: [] } },
  relay: { nginx: [{ from: 'server', agents: ['HV-01'] }] },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'HV-01', site: 1 },
    { id: 'HV-02', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('HV-01', {
      outcome: 'not-forwarded',
      lastHop: 'origin',
      lostAt: 'nginx',
      what: 'the relay at nginx drops every frame from the server on the connection of HV-01, and noted each',
    });
    for (let i = 0; i < 6; i++) {
      if (i === 1) await lab.dispatch('HV-01', HOSTNAME);
      if (i === 3) await lab.dispatch('HV-01', work(3));
      await lab.dispatch('HV-02', work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
