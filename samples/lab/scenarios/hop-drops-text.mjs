import { HOSTNAME, LARGE, work } from '../work.mjs';

export default {
  description:
    'In the place of NPM runs a relay that reads WebSocket frames and drops Text frames with Commands for one agent; ' +
    "Pings, the handshake and everything else pass. Another agent's commands pass through the same relay.",
  captures: { origin: {}, nginx: {}, npm: { iface: 'any' } },
  outcomes: { 'CAM-GW': ['not-forwarded'] },
  findings: {
    present: [{ id: 'hop-drops-text', agents: ['CAM-GW'] }],
    absentIds: ['agent-ignores-commands', 'peer-unreachable', 'hop-drops-frames'],
  },
  hypotheses: { 'CAM-GW': { supported: ['proxy-forwarding:npm'], open: [] } },
  relay: { npm: [{ from: 'server', opcodes: [1], types: ['Command'], agents: ['CAM-GW'] }] },
  server: { maxAttempts: 3 },
  agents: [
    { id: 'CAM-GW', site: 1, version: 'v3' },
    { id: 'FILESRV', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    lab.fault('CAM-GW', {
      outcome: 'not-forwarded',
      lastHop: 'nginx',
      lostAt: 'npm',
      what: 'the relay at npm drops Text frames with Commands for CAM-GW, and noted each',
    });
    for (let i = 0; i < 8; i++) {
      if (i === 1) await lab.dispatch('CAM-GW', HOSTNAME);
      if (i === 4) await lab.dispatch('CAM-GW', LARGE);
      await lab.dispatch('FILESRV', work(i));
      await lab.sleep(500);
    }
    await lab.finish();
  },
};
