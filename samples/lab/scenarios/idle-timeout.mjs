import { work } from '../work.mjs';

export default {
  description:
    "NPM's proxy_read_timeout is 4 s, the server pings too seldom, and two agents send no Heartbeats: npm closes each " +
    'of their connections after the same idle time. CHATTY-1 sends Heartbeats and stays. All commands are delivered.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  findings: {
    present: [{ id: 'idle-timeout', agents: ['QUIET-1', 'QUIET-2'] }],
    absentIds: ['agent-ignores-commands'],
  },
  readTimeout: { npm: '4s' },
  server: { pingMs: 60_000, reofferOnHeartbeat: false },
  agents: [
    { id: 'QUIET-1', site: 1, heartbeatMs: 60_000, metricsMs: 60_000 },
    { id: 'QUIET-2', site: 2, heartbeatMs: 60_000, metricsMs: 60_000 },
    { id: 'CHATTY-1', site: 3, heartbeatMs: 2000 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of ['QUIET-1', 'QUIET-2', 'CHATTY-1']) await lab.dispatch(agent, work(1));
    await lab.sleep(10_500);
    await lab.online('QUIET-1', 'QUIET-2');
    for (const agent of ['QUIET-1', 'QUIET-2', 'CHATTY-1']) await lab.dispatch(agent, work(0));
    await lab.finish(4500);
  },
};
