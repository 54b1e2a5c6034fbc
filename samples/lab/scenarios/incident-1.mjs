import { HOSTNAME, LARGE, work } from '../work.mjs';

const IGNORING = ['PST-SERVER', 'PST-NVR', 'NVR-2'];

export default {
  description:
    'Incident 1: three agents answer Pings and send Heartbeats but acknowledge no command; two of them share one ' +
    'site and gateway address. NVR-2 ran one command on its first connection and none since it reconnected. ' +
    'Everything passes two real nginx; the others run their commands.',
  ackTimeout: '10s',
  outcomes: { 'PST-SERVER': ['reached-agent'], 'PST-NVR': ['reached-agent'], 'NVR-2': ['delivered', 'reached-agent'] },
  findings: {
    present: [
      { id: 'agent-ignores-commands', agents: IGNORING },
      {
        id: 'survives-reconnect',
        agents: ['PST-SERVER', 'NVR-2'],
        note: 'NVR-2 failed on its second and third connection',
      },
      { id: 'changed-after', agents: ['NVR-2'] },
    ],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'commands-not-sent', 'large-frames-lost', 'agent-unresponsive'],
  },
  hypotheses: {
    'PST-SERVER': { supported: ['agent-command-path'], open: ['middlebox'] },
    'PST-NVR': { supported: ['agent-command-path'], open: ['middlebox'] },
    'NVR-2': { supported: ['agent-command-path'], open: ['middlebox'] },
  },
  server: { pingMs: 3000, maxAttempts: 10, configOctets: 3000 },
  agents: [
    { id: 'PST-SERVER', site: 1, heartbeatMs: 5000, ignoreFromConnection: 1, agentVersion: '1.9.0' },
    { id: 'PST-NVR', site: 1, heartbeatMs: 5000, ignoreFromConnection: 1, agentVersion: '1.9.0' },
    { id: 'NVR-2', site: 2, heartbeatMs: 5000, ignoreFromConnection: 2, agentVersion: '1.9.0' },
    { id: 'FRONTDESK-01', site: 3, heartbeatMs: 5000 },
    { id: 'DC01', site: 3, heartbeatMs: 5000 },
    { id: 'BACKUP-NAS', site: 4, heartbeatMs: 5000, os: 'Debian 12' },
    { id: 'WEB-03', site: 4, heartbeatMs: 5000, os: 'Ubuntu 22.04' },
    { id: 'LAB-PC-7', site: 5, heartbeatMs: 5000 },
  ],

  async play(lab) {
    const healthy = [...lab.agents.keys()].filter((id) => !IGNORING.includes(id));
    await lab.connect();
    await lab.sleep(1500);
    await lab.dispatch('NVR-2', { command: 'ipconfig', args: ['/all'], timeout_secs: 30 });
    await lab.sleep(1500);
    await lab.reconnect('NVR-2');
    for (let i = 0; i < 32; i++) {
      await lab.dispatch(healthy[i % healthy.length], work(i), { reuse: i % 3 !== 0 });
      if (i === 4) await lab.dispatch('PST-SERVER', HOSTNAME);
      if (i === 6) await lab.dispatch('NVR-2', HOSTNAME);
      if (i === 8) await lab.dispatch('PST-NVR', work(3));
      if (i === 14) await lab.dispatch('PST-SERVER', LARGE);
      if (i === 20) await lab.reconnect('PST-SERVER');
      if (i === 22) await lab.reconnect('NVR-2');
      if (i === 25) await lab.dispatch('NVR-2', work(3));
      if (i === 28) await lab.dispatch('PST-NVR', HOSTNAME);
      await lab.sleep(420);
    }
    await lab.finish();
  },
};
