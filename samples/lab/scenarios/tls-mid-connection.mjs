import { HOSTNAME, work } from '../work.mjs';

export default {
  description:
    'npm ends TLS 1.3, and the captures begin long after the handshakes: the key log has the keys, the captures do not ' +
    'have the record numbers. One agent ignores its commands.',
  captureLater: true,
  captures: { origin: {}, nginx: {}, npm: { outerOnly: true, nano: true } },
  outcomes: { 'LATE-2': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['LATE-2'] }],
    absentIds: ['peer-unreachable', 'hop-drops-text', 'protocol-desync'],
  },
  hypotheses: { 'LATE-2': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { maxAttempts: 3 },
  agents: [
    { id: 'LATE-1', site: 1, version: 'v1', tls: { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } },
    { id: 'LATE-2', site: 1, version: 'v2', tls: { version: 'TLSv1.3' }, ignoreFromConnection: 1 },
    { id: 'LATE-3', site: 2, version: 'v3', tls: { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' } },
  ],

  async play(lab) {
    await lab.connect();
    await lab.sleep(3500);
    await lab.startCaptures();
    await lab.sleep(700);
    for (let i = 0; i < 8; i++) {
      if (i === 2) await lab.dispatch('LATE-2', HOSTNAME);
      if (i === 5) await lab.dispatch('LATE-2', work(3));
      await lab.dispatch(`LATE-${[1, 3][i % 2]}`, work(i), { reuse: true });
      await lab.sleep(300);
    }
    await lab.finish();
  },
};
