import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Between npm and nginx, data towards nginx is dropped on the TCP connection of one agent, while bare TCP ACKs ' +
    'pass: commands arrive and are run, and neither CommandAck nor Pong nor Heartbeat gets back past npm, which ' +
    'retransmits them. Other agents are healthy.',
  captures: { origin: {}, nginx: {}, npm: { iface: 'any' } },
  outcomes: { 'ONEWAY-1': ['delivered', 'ack-lost'] },
  findings: {
    present: [{ id: 'peer-unreachable', agents: ['ONEWAY-1'] }],
    absentIds: ['agent-ignores-commands', 'agent-unresponsive', 'hop-drops-text'],
  },
  hypotheses: { 'ONEWAY-1': { supported: ['network-path'], open: ['stale-connection'] } },
  server: { maxAttempts: 1 },
  agents: [
    { id: 'ONEWAY-1', site: 1, version: 'v2' },
    { id: 'BOTHWAYS-1', site: 2, version: 'v2' },
  ],

  async play(lab) {
    const { npm } = lab.network.plan;
    const drop = lab.impair.markFlow(lab.network.plan.site(1).public);
    await lab.connect();
    await lab.dispatch('ONEWAY-1', work(1));
    await lab.sleep(500);
    await lab.afterPong('ONEWAY-1');
    // Whatever has a payload, told by a first word behind the TCP header; a length would not do: the bare TCP ACK of
    // a retransmission carries a DSACK block, and is longer than a small data packet.
    drop(['-s', npm.host, '-m', 'u32', '--u32', '0>>22&0x3C@12>>26&0x3C@0=0:0xFFFFFFFF']);
    lab.fault('ONEWAY-1', {
      outcome: 'ack-lost',
      lastHop: 'npm',
      lostAt: 'nginx->npm',
      what: 'iptables DROP of data from npm to nginx on the one connection; the leg is named outward, as all legs are',
    });
    for (let i = 0; i < 6; i++) {
      if (i === 0) await lab.dispatch('ONEWAY-1', HOSTNAME);
      if (i === 3) await lab.dispatch('ONEWAY-1', work(2));
      await lab.dispatch('BOTHWAYS-1', work(i % 5));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
