/** A capture that was not taken at the hop's own host does not prove that the hop sent nothing. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const ORIGIN: TalkShape = { server: '10.0.0.1', client: '10.0.1.1', clientPort: 40_001, clientIsn: 7, serverIsn: 9e8 };

interface Shape {
  /** Time to Live of npm's packets in the capture that is given for it. */
  hopLimit?: number;
  /** The agent's Heartbeats are not TCP-ACKed while the command waits, and sent again. */
  unanswered?: boolean;
}

/** c-1 arrives at npm and is not in npm's capture. */
async function lost({ hopLimit = 64, unanswered = false }: Shape) {
  const tapes = [new Tape(), new Tape()];
  const npm: TalkShape = {
    server: '10.0.1.1',
    serverPort: 443,
    client: '203.0.113.7',
    clientPort: 40_002,
    clientIsn: 3e8,
    serverIsn: 4e8,
    hopLimits: { server: hopLimit },
  };
  const [inner, outer] = [new Talk(tapes[0], ORIGIN), new Talk(tapes[1], npm)];
  outer.open(0);
  inner.open(2);
  outer.send(3, 'client', upgradeRequest());
  inner.send(4, 'client', upgradeRequest());
  inner.send(20, 'server', upgradeResponse());
  outer.send(21, 'server', upgradeResponse());
  for (const [i, ms] of [500, 1000].entries()) {
    inner.send(ms, 'server', frame(command(`c-ok-${i}`)));
    outer.send(ms + 1, 'server', frame(command(`c-ok-${i}`)));
    outer.send(ms + 40, 'client', masked(commandAck(`c-ok-${i}`)));
    inner.send(ms + 41, 'client', masked(commandAck(`c-ok-${i}`)));
  }
  inner.send(2000, 'server', frame(command('c-1')));
  const beat = masked('{"type":"Heartbeat"}');
  if (unanswered) {
    const at = outer.sent('client');
    for (const ms of [3000, 3300, 3900, 5100, 7500]) outer.segment(ms, 'client', { at, data: beat });
    outer.segment(16_000, 'client', { at, data: beat });
    outer.segment(16_001, 'server');
  } else outer.send(3000, 'client', beat);
  for (const ms of [20_000, 30_000]) {
    outer.send(ms, 'client', beat);
    inner.send(ms + 1, 'client', beat);
  }
  const verdict = (await hear({ origin: tapes[0], npm: tapes[1] })).of('c-1');
  return { ruling: ruling(verdict), state: verdict.attempts[0].hops[1].state, reason: verdict.reason };
}

describe('a command that is not in the capture given for a hop', () => {
  it('never left the hop where the capture was taken at its host, or behind its own bridge', async () => {
    for (const hopLimit of [64, 63, 128, 127, 255, 31])
      expect(await lost({ hopLimit })).toMatchObject({ ruling: 'not-forwarded origin npm', state: 'absent' });
  });

  it('may have left it where routers stand between', async () => {
    for (const hopLimit of [62, 55, 120, 250]) {
      const verdict = await lost({ hopLimit });
      expect(verdict).toMatchObject({ ruling: 'inconclusive origin -', state: 'unobserved' });
      expect(verdict.reason).toContain('routers away');
    }
  });

  it('may have left it where nothing that came from outside was TCP-ACKed either', async () => {
    const verdict = await lost({ unanswered: true });
    expect(verdict).toMatchObject({ ruling: 'inconclusive origin -', state: 'unobserved' });
    expect(verdict.reason).toContain('never TCP-ACKed');
  });
});
