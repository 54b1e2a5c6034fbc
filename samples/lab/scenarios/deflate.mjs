import { LARGE, work } from '../work.mjs';

const agents = [
  { id: 'Z-TAKEOVER', deflate: true },
  { id: 'Z-NO-TAKEOVER', deflate: { serverNoContextTakeover: true, clientNoContextTakeover: true } },
  { id: 'Z-SERVER-FRESH', deflate: { serverNoContextTakeover: true } },
  { id: 'Z-WINDOW-9', deflate: { serverMaxWindowBits: 9, clientMaxWindowBits: 10 } },
  { id: 'Z-FRAGMENTS', deflate: true },
  { id: 'PLAIN-FRAGMENTS', deflate: false },
  { id: 'Z-IGNORES', deflate: true, ignoreFromConnection: 1 },
].map((agent, i) => ({ ...agent, site: 1 + (i % 2), version: ['v1', 'v2', 'v3'][i % 3] }));

export default {
  description:
    'permessage-deflate with and without context takeover, with small windows, and Commands in three fragments with a ' +
    'Ping between them, compressed and plain. All are delivered, but for one compressed agent that ignores commands.',
  captures: { origin: { format: 'gz' }, nginx: { nano: true }, npm: { format: 'pcapng', outerOnly: true } },
  outcomes: { 'Z-IGNORES': ['reached-agent'] },
  findings: {
    present: [{ id: 'agent-ignores-commands', agents: ['Z-IGNORES'] }],
    absentIds: ['protocol-desync', 'hop-drops-text', 'peer-unreachable'],
  },
  hypotheses: { 'Z-IGNORES': { supported: ['agent-command-path'], open: ['middlebox'] } },
  server: { deflate: true, maxAttempts: 2, fragment: ['Z-FRAGMENTS', 'PLAIN-FRAGMENTS'] },
  agents,

  async play(lab) {
    await lab.connect();
    for (let i = 0; i < 28; i++) {
      await lab.dispatch(agents[i % agents.length].id, i >= 21 ? LARGE : work(i + Math.floor(i / 7)));
      await lab.sleep(100);
    }
    await lab.finish();
  },
};
