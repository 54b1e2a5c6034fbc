import { work } from '../work.mjs';

export default {
  description:
    "The origin's nginx has a proxy_read_timeout of 3 s, the server pings too seldom, and two agents send no Heartbeats: nginx closes " +
    'each of their connections on both sides after the same idle time, and npm passes that on. All commands are delivered.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  findings: { present: [{ id: 'idle-timeout', agents: ['STILL-1', 'STILL-2'] }] },
  readTimeout: { nginx: '3s' },
  server: { pingMs: 60_000, reofferOnHeartbeat: false },
  agents: [
    { id: 'STILL-1', site: 1, heartbeatMs: 60_000, metricsMs: 60_000 },
    { id: 'STILL-2', site: 2, heartbeatMs: 60_000, metricsMs: 60_000 },
    { id: 'LIVELY-1', site: 3, heartbeatMs: 1500 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of lab.agents.keys()) await lab.dispatch(agent, work(1));
    await lab.sleep(8500);
    await lab.online('STILL-1', 'STILL-2');
    for (const agent of lab.agents.keys()) await lab.dispatch(agent, work(0));
    await lab.finish();
  },
};
