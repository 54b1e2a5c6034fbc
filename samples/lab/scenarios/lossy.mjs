import { LARGE, work } from '../work.mjs';

export default {
  description:
    'The path between npm and the agents loses, doubles, delays and reorders packets in both directions; TCP repairs it all and every ' +
    'command is delivered. One agent acknowledges only after the deadline (late).',
  captures: { origin: { nano: true, format: 'gz' }, nginx: { format: 'gz' }, npm: { outerOnly: true } },
  findings: {
    present: [],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'hop-drops-text', 'large-frames-lost', 'protocol-desync'],
  },
  server: { reofferOnHeartbeat: false },
  agents: [
    { id: 'REMOTE-1', site: 1, version: 'v1' },
    { id: 'REMOTE-2', site: 1, version: 'v6' },
    { id: 'REMOTE-3', site: 2, version: 'v8' },
    { id: 'SLOW-1', site: 3, version: 'v1', ackDelayMs: 4200 },
  ],

  async play(lab) {
    await lab.connect();
    const { npm, site } = lab.network.plan;
    lab.impair.lose(1, 0.12);
    lab.impair.duplicate(npm.host, 'site1', 0.2);
    lab.impair.duplicate(site(1).host(1), 'npm', 0.2);
    lab.impair.lose(2, 0.05);
    lab.impair.reorder('site2', 0.3, '300kbit');
    lab.impair.reorder('npm', 0.2, '300kbit');
    for (let i = 0; i < 12; i++) {
      // Two or three at once, so that several packets are in flight and can be overtaken.
      const burst = [1, 2, 3].slice(i % 2).map((n) => lab.dispatch(`REMOTE-${n}`, i === 5 ? LARGE : work(i)));
      if (i === 3 || i === 9) burst.push(lab.dispatch('SLOW-1', work(i)));
      burst.push(lab.dispatch('REMOTE-3', work(i + 2)));
      await Promise.all(burst);
      await lab.sleep(200);
    }
    await lab.finish(4500);
  },
};
