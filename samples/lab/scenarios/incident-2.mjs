import { randomUUID } from 'node:crypto';
import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'Incident 2: one agent stops reading, the buffers along the chain fill up to the server, whose dispatch waits for ' +
    "room in that agent's channel with the fleet's lock held: from then on no command leaves on any connection, though " +
    'they are asked for, and Pings and Heartbeats of the others go on.',
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true } },
  outcomes: Object.fromEntries([1, 2, 3, 4].map((n) => [`EDGE-${n}`, ['delivered', 'never-sent']])),
  findings: {
    present: [
      { id: 'dispatch-stalled', agents: ['EDGE-2', 'EDGE-3', 'EDGE-4'] },
      { id: 'receiver-window-closed', agents: ['EDGE-1'] },
    ],
    absentIds: ['agent-ignores-commands', 'hop-drops-text'],
  },
  hypotheses: {
    'EDGE-1': {
      supported: ['agent-receive-loop'],
      open: [
        'origin-write-path',
        'middlebox',
        'agent-command-path',
        'split-connection',
        'protocol-desync',
        'independent-faults',
      ],
    },
    'EDGE-2': {
      supported: ['origin-write-path'],
      open: ['stale-connection', 'split-connection', 'independent-faults'],
    },
    'EDGE-3': {
      supported: ['origin-write-path'],
      open: ['stale-connection', 'split-connection', 'independent-faults'],
    },
    'EDGE-4': {
      supported: ['origin-write-path'],
      open: ['stale-connection', 'split-connection', 'independent-faults'],
    },
  },
  network: {
    sysctl: {
      site: { 'net.ipv4.tcp_rmem': '4096 8192 8192' },
      npm: { 'net.ipv4.tcp_rmem': '4096 16384 16384', 'net.ipv4.tcp_wmem': '4096 16384 16384' },
      origin: { 'net.ipv4.tcp_rmem': '4096 16384 16384', 'net.ipv4.tcp_wmem': '4096 16384 16384' },
    },
  },
  server: { channelOctets: 16_000, maxAttempts: 1 },
  agents: [1, 2, 3, 4].map((n) => ({ id: `EDGE-${n}`, site: n, version: 'v2' })),

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 8; i++) {
      await lab.dispatch(`EDGE-${1 + (i % 4)}`, work(i % 5));
      await lab.sleep(100);
    }
    await lab.sleep(500);
    lab.stop('EDGE-1');
    await lab.server.call('flood', { agent: 'EDGE-1', octets: 20_000, times: 15 });
    await lab.sleep(800);
    if (!((await lab.server.call('buffered', { agent: 'EDGE-1' })) > 16_000)) throw new Error('the chain did not fill');
    for (let n = 1; n <= 4; n++) {
      lab.fault(`EDGE-${n}`, {
        outcome: 'never-sent',
        lastHop: null,
        lostAt: 'origin',
        what: "the server's dispatch of EDGE-1's command holds the fleet's lock while its channel is full",
      });
    }
    // Requests that hang: the console gives up after a while and the operator tries again.
    await lab.dispatch('EDGE-1', { command_id: randomUUID(), ...HOSTNAME }, { timeoutMs: 700 });
    for (let i = 0; i < 5; i++) {
      const body = { command_id: randomUUID(), ...work(i) };
      await lab.dispatch(`EDGE-${2 + (i % 3)}`, body, { timeoutMs: 700 });
    }
    await lab.finish();
  },
};
