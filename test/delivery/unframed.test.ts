/** A direction of a WebSocket that was taken for something else, and so never read. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';
import { Scene } from './scene.js';

describe('a direction in which no frame was found', () => {
  it('proves nothing absent: the 200 to a CONNECT that is missing has no end', async () => {
    const scene = new Scene(['origin']);
    const npm = new Tape();
    const talk = new Talk(npm, { server: '10.0.1.1', serverPort: 3128, client: '203.0.113.9', clientPort: 50_000 });
    talk.open(-20);
    const connect = talk.send(-15, 'client', octets('CONNECT 10.0.0.1:3001 HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n'));
    talk.send(-10, 'server', octets('HTTP/1.1 200 Connection established\r\n\r\n'));
    talk.send(9, 'client', upgradeRequest());
    talk.send(21, 'server', upgradeResponse());
    talk.send(99, 'client', masked('{"type":"Authenticate","agent_id":"PST-SERVER"}'));
    talk.send(121, 'server', frame('{"type":"AuthAck","ok":true}'));
    talk.send(1001, 'server', frame(command('c-ok')));
    talk.send(1039, 'client', masked(commandAck('c-ok')));
    scene.chain.outward(5000, frame(command('c-1')));
    talk.send(5001, 'server', frame(command('c-1')));
    for (let ms = 6000; ms < 30_000; ms += 4000) {
      const beat = masked(`{"type":"Heartbeat","at":${ms}}`);
      talk.send(ms - 1, 'client', beat);
      scene.chain.inward(ms, beat);
    }
    const whole = (await hear({ ...scene.captures, npm })).of('c-1');
    expect(ruling(whole)).toBe('reached-agent npm agent');
    const verdict = (await hear({ ...scene.captures, npm: npm.without(connect) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.attempts[0].hops.map(({ state }) => state)).toEqual(['tcp-acked', 'unobserved']);
    expect(verdict.reason).toContain('no frame was found');
  });
});
