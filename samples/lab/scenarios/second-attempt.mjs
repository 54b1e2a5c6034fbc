import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'An agent ignores the first attempt of its commands on its first connection; after a reconnect, past the ' +
    'deadline, the same commands are offered again and acknowledged: delivered by their second attempt.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  findings: { present: [], absentIds: ['peer-unreachable', 'hop-drops-text', 'survives-reconnect'] },
  server: { reofferOnHeartbeat: false },
  agents: [
    { id: 'RETRY-1', site: 1, version: 'v6', ignoreOnConnection: 1 },
    { id: 'RETRY-2', site: 2, version: 'v6' },
  ],

  async play(lab) {
    await lab.connect();
    await lab.dispatch('RETRY-1', HOSTNAME);
    await lab.dispatch('RETRY-1', work(3));
    for (let i = 0; i < 4; i++) {
      await lab.dispatch('RETRY-2', work(i));
      await lab.sleep(300);
    }
    await lab.sleep(3000);
    await lab.reconnect('RETRY-1');
    await lab.sleep(500);
    await lab.dispatch('RETRY-1', work(1));
    await lab.finish();
  },
};
