import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'One agent with a small receive buffer is stopped (SIGSTOP) and the server sends it large configurations: its ' +
    "TCP window closes, and its commands wait in npm's kernel behind them. Two other agents are healthy.",
  captures: { origin: {}, nginx: {}, npm: { iface: 'any' } },
  outcomes: { 'HMI-7': ['delivered', 'stalled'] },
  findings: {
    present: [{ id: 'receiver-window-closed', agents: ['HMI-7'] }],
    absentIds: ['agent-ignores-commands', 'hop-drops-text'],
  },
  hypotheses: {
    'HMI-7': {
      supported: ['agent-receive-loop'],
      open: ['middlebox', 'agent-command-path', 'split-connection', 'protocol-desync'],
    },
  },
  network: { sysctl: { site: { 'net.ipv4.tcp_rmem': '4096 8192 8192' } } },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'HMI-7', site: 1 },
    { id: 'HMI-8', site: 2 },
    { id: 'HMI-9', site: 2 },
  ],

  async play(lab) {
    await lab.connect();
    await lab.dispatch('HMI-7', work(1));
    await lab.sleep(600);
    lab.stop('HMI-7');
    await lab.server.call('flood', { agent: 'HMI-7', octets: 8000, times: 5 });
    await lab.sleep(300);
    lab.fault('HMI-7', {
      outcome: 'stalled',
      lastHopAnyOf: ['nginx', 'npm'],
      lostAt: 'npm->agent',
      what: 'SIGSTOP of HMI-7 behind a receive buffer of 8 KB, and 40 KB of ConfigUpdates sent before the command',
    });
    await lab.dispatch('HMI-7', HOSTNAME);
    for (let i = 0; i < 6; i++) {
      if (i === 3) await lab.dispatch('HMI-7', work(3));
      await lab.dispatch(`HMI-${8 + (i % 2)}`, work(i));
      await lab.sleep(400);
    }
    await lab.finish();
  },
};
