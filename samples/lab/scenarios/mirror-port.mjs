import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'npm is captured by a monitor behind a mirror port of the firewall: each packet twice, as it comes in and as it goes out, with ' +
    'addresses before and after translation. The port sends what goes to the agents 12 ms later than what comes from them (made of ' +
    'the capture by the lab), so that TCP ACKs, Pongs and CommandAcks stand before what they answer. One site loses packets between the two places; ' +
    'one agent ignores its commands.',
  captures: {
    origin: {},
    nginx: {},
    npm: { ns: 'mon', iface: 'eth0', filter: 'tcp port 80 and not arp', lateMs: 12 },
  },
  outcomes: { 'MIRROR-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['MIRROR-2'] }],
    absentIds: ['agent-answers-nothing', 'reply-address-mismatch', 'commands-not-sent', 'capture-untrusted'],
  },
  hypotheses: { 'MIRROR-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  network: { mirror: true },
  server: { maxAttempts: 2 },
  agents: [
    { id: 'MIRROR-1', site: 1, version: 'v1' },
    { id: 'MIRROR-2', site: 1, version: 'v2', ignoreFromConnection: 1 },
    { id: 'MIRROR-3', site: 2, version: 'v3' },
  ],

  async play(lab) {
    await lab.connect();
    lab.impair.lose(2, 0.06);
    for (let i = 0; i < 14; i++) {
      if (i === 2) await lab.dispatch('MIRROR-2', HOSTNAME);
      await lab.dispatch(`MIRROR-${i % 2 ? 1 : 3}`, work(i % 5));
      await lab.sleep(250);
    }
    await lab.finish();
  },
};
