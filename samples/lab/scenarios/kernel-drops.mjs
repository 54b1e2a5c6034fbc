import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    "npm's tcpdump has a small buffer and gets no processor for a while (SIGSTOP), while other traffic fills the buffer: the kernel drops what " +
    'comes then, whole messages of quiet connections among it. origin and nginx are captured whole. One agent ignores its commands.',
  captures: {
    origin: { format: 'gz' },
    nginx: { format: 'gz' },
    npm: { format: 'gz', outerOnly: true, bufferKib: 64, mayDrop: true },
  },
  outcomes: { 'DROP-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['DROP-2'] }, { id: 'capture-untrusted' }],
    absentIds: ['hop-drops-text', 'hop-drops-frames', 'commands-not-sent', 'peer-unreachable', 'agent-unresponsive'],
  },
  hypotheses: { 'DROP-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'DROP-1', site: 1, version: 'v1' },
    { id: 'DROP-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'DROP-3', site: 2, version: 'v3' },
    { id: 'DROP-4', site: 2, version: 'v1' },
  ],

  async play(lab) {
    await lab.connect();
    const { host } = lab.network.plan.npm;
    await lab.bulk('npm', { host, port: 443 });
    for (let i = 0; i < 6; i++) {
      if (i === 1) await lab.dispatch('DROP-2', HOSTNAME);
      await lab.dispatch(`DROP-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(300);
    }
    await lab.sleep(6000);
    lab.pauseCapture('npm');
    await lab.bulk('fw', { connectTo: host, port: 443, octets: 4_000_000 });
    await lab.sleep(300);
    // Each of these, its TCP ACK and what answers it are not in npm's capture.
    for (let i = 0; i < 4; i++) {
      await lab.dispatch('DROP-4', work(i));
      if (i === 1) await lab.dispatch('DROP-2', HOSTNAME);
      await lab.dispatch(`DROP-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(400);
    }
    lab.resumeCapture('npm');
    await lab.sleep(6000);
    for (let i = 0; i < 4; i++) {
      if (i === 1) await lab.dispatch('DROP-2', HOSTNAME);
      await lab.dispatch(`DROP-${i % 2 ? 1 : 4}`, work(i % 5));
      await lab.sleep(300);
    }
    await lab.finish();
  },
};
