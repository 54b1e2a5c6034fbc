import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "One agent's TCP connection between npm and nginx is cut in the firewall between the two hosts after the agent " +
    'has connected: commands leave nginx and never arrive at npm. Other agents on the same leg are healthy.',
  captures: { origin: {}, nginx: {}, npm: { iface: 'any' } },
  outcomes: { 'TILL-3': ['delivered', 'stalled'] },
  findings: {
    present: [{ id: 'peer-unreachable', agents: ['TILL-3'] }],
    absentIds: ['agent-ignores-commands', 'agent-unresponsive', 'hop-drops-text'],
  },
  hypotheses: { 'TILL-3': { supported: ['network-path'], open: ['stale-connection'] } },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'TILL-3', site: 1, version: 'v7' },
    { id: 'TILL-4', site: 2, version: 'v7' },
    { id: 'TILL-5', site: 2, version: 'v7' },
  ],

  async play(lab) {
    const what = 'iptables DROP (both directions) of the one TCP connection nginx<->npm that carries TILL-3';
    const cut = lab.impair.markFlow(lab.network.plan.site(1).public);
    await lab.connect();
    await lab.dispatch('TILL-3', work(1));
    await lab.sleep(500);
    await lab.afterPong('TILL-3');
    cut();
    lab.fault('TILL-3', { outcome: 'stalled', lastHop: 'nginx', lostAt: 'nginx->npm', what });
    await lab.dispatch('TILL-3', HOSTNAME);
    await lab.sleep(20);
    lab.fault('TILL-3', { outcome: 'stalled', lastHopAnyOf: ['origin', 'nginx'], lostAt: 'nginx->npm', what });
    for (let i = 0; i < 6; i++) {
      if (i === 3) await lab.dispatch('TILL-3', work(3));
      await lab.dispatch(`TILL-${4 + (i % 2)}`, work(i));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
