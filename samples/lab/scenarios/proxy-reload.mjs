import { work } from '../work.mjs';

const early = ['OLD-A', 'OLD-B', 'OLD-C', 'OLD-D'];

export default {
  description:
    "NPM's nginx takes up a new configuration (worker_shutdown_timeout 3 s): three seconds later its old worker closes the connections " +
    'that were open at that time, and those that were opened since stay. No process died. All commands are delivered.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  findings: { present: [] },
  shutdownTimeout: '3s',
  agents: [...early.map((id, i) => ({ id, site: 1 + (i % 2) })), { id: 'NEW-A', site: 3 }, { id: 'NEW-B', site: 3 }],

  async play(lab) {
    await lab.connect(...early);
    for (const id of early) await lab.dispatch(id, work(1));
    await lab.sleep(400);
    lab.reload('npm');
    await lab.sleep(800);
    await lab.connect('NEW-A', 'NEW-B');
    await lab.sleep(4500);
    await lab.online(...early);
    for (const id of lab.agents.keys()) await lab.dispatch(id, work(0));
    await lab.finish();
  },
};
