import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "One agent's receive loop hangs: it reads nothing from its socket any more, and its Heartbeats and metrics go on. Its kernel " +
    'TCP-ACKs Pings and commands; no Pong and no CommandAck returns. Two other agents are healthy.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'DEAF-1': ['delivered', 'reached-agent'] },
  findings: { present: [{ id: 'agent-answers-nothing', agents: ['DEAF-1'] }] },
  hypotheses: {
    'DEAF-1': { supported: ['agent-receive-loop'], open: ['middlebox', 'agent-command-path', 'protocol-desync'] },
  },
  server: { maxAttempts: 3, pingMs: 1000 },
  agents: [
    { id: 'DEAF-1', site: 1, heartbeatMs: 1500, metricsMs: 2500 },
    { id: 'HEARS-1', site: 1 },
    { id: 'HEARS-2', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of lab.agents.keys()) await lab.dispatch(agent, work(1));
    await lab.sleep(600);
    await lab.afterPong('DEAF-1');
    await lab.agents.get('DEAF-1').call('deafen');
    lab.fault('DEAF-1', {
      outcome: 'reached-agent',
      lastHop: 'npm',
      lostAt: 'agent',
      what: 'DEAF-1 reads nothing from its socket any more; its kernel TCP-ACKs, its Heartbeats go on',
    });
    for (let i = 0; i < 6; i++) {
      if (i === 1) await lab.dispatch('DEAF-1', HOSTNAME);
      if (i === 4) await lab.dispatch('DEAF-1', work(3));
      await lab.dispatch(`HEARS-${1 + (i % 2)}`, work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
