import { work } from '../work.mjs';

const agents = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v1', 'v2'].map((version, i) => ({
  id: `WS-${String(101 + i)}`,
  version,
  site: 1 + (i % 4),
  os: i % 3 === 0 ? 'Ubuntu 22.04' : 'Windows 11',
}));

export default {
  description:
    'A healthy fleet: ten agents at four sites, one JSON encoding each (tagging, case, place of the ID), ' +
    'every command acknowledged and run. Nanosecond pcap; at npm the inner connection is captured as well (-i any).',
  captures: { origin: { nano: true }, nginx: { nano: true, format: 'gz' }, npm: { nano: true, iface: 'any' } },
  findings: {
    present: [],
    absentIds: [
      'agent-ignores-commands',
      'peer-unreachable',
      'hop-drops-text',
      'commands-not-sent',
      'split-connection',
    ],
  },
  server: { configOctets: 3000 },
  agents,

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 30; i++) {
      await lab.dispatch(agents[i % agents.length].id, work(i), { reuse: i % 2 === 0 });
      await lab.sleep(120);
    }
    await lab.finish();
  },
};
