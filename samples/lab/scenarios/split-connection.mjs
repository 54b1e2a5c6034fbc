import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Two agents open a second connection, and the server goes on writing commands to the first. The first connection ' +
    'of SPLIT-A is dead (its packets are dropped in the firewall), that of SPLIT-B is alive in a forgotten part of the ' +
    'agent, which answers Pings. Heartbeats arrive on the second connections.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: { 'SPLIT-A': ['delivered', 'stalled'], 'SPLIT-B': ['delivered', 'reached-agent'] },
  findings: {
    present: [
      { id: 'split-connection', agents: ['SPLIT-A', 'SPLIT-B'] },
      { id: 'changed-after', agents: ['SPLIT-A', 'SPLIT-B'] },
    ],
    absentIds: ['hop-drops-text'],
  },
  hypotheses: {
    'SPLIT-A': {
      supported: ['network-path', 'stale-connection', 'split-connection'],
      open: ['return-path-nat', 'middlebox', 'agent-receive-loop', 'agent-command-path'],
    },
    'SPLIT-B': { supported: ['split-connection'], open: ['middlebox', 'agent-command-path'] },
  },
  server: { keepFirst: true, maxAttempts: 2 },
  agents: [
    { id: 'SPLIT-A', site: 1 },
    { id: 'SPLIT-B', site: 2 },
    { id: 'WHOLE-C', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    for (const agent of lab.agents.keys()) await lab.dispatch(agent, work(1));
    await lab.sleep(400);
    await lab.afterPong('SPLIT-A');
    const { address, call } = lab.agents.get('SPLIT-A');
    lab.impair.blackHoleFlow(address, await call('port'));
    await lab.agents.get('SPLIT-B').call('set', { values: { ignoreOnConnection: 1 } });
    await Promise.all([lab.reconnect('SPLIT-A', 'abandon'), lab.reconnect('SPLIT-B', 'abandon')]);
    const what = "the server's switch keepFirst, and DROP of SPLIT-A's first TCP connection in the firewall";
    lab.fault('SPLIT-A', { outcome: 'stalled', lastHopAnyOf: ['npm', 'nginx'], lostAt: 'npm->agent', what });
    for (let i = 0; i < 4; i++) {
      if (i === 1) await lab.dispatch('SPLIT-A', HOSTNAME);
      if (i === 2) await lab.dispatch('SPLIT-B', HOSTNAME);
      await lab.dispatch('WHOLE-C', work(i));
      await lab.sleep(600);
    }
    await lab.finish();
  },
};
