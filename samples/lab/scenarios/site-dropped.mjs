import { work } from '../work.mjs';

const site = ['BRANCH-A', 'BRANCH-B', 'BRANCH-C'];

export default {
  description:
    "One site's connections all end at the same moment from the agents' side, as when its gateway restarts and resets them, and come " +
    'back within a second. Agents of another site stay connected. All commands are delivered.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  findings: { present: [] },
  agents: [...site.map((id) => ({ id, site: 1 })), { id: 'HEAD-A', site: 2 }, { id: 'HEAD-B', site: 2 }],

  async play(lab) {
    await lab.connect();
    for (const id of lab.agents.keys()) await lab.dispatch(id, work(1));
    await lab.sleep(2500);
    await Promise.all(site.map((id) => lab.agents.get(id).call('terminate')));
    await lab.sleep(1500);
    await lab.online(...site);
    for (const id of lab.agents.keys()) await lab.dispatch(id, work(0));
    await lab.finish();
  },
};
