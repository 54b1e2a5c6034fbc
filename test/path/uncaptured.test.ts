/** A hop between two given ones that nobody captured: found where the captures show it, and not made up. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const ORIGIN: TalkShape = {
  server: '10.0.0.1',
  serverPort: 3001,
  client: '10.0.1.1',
  clientPort: 40_001,
  clientIsn: 1,
};
const MIDDLE: TalkShape = {
  server: '10.0.1.1',
  serverPort: 8080,
  client: '10.0.2.1',
  clientPort: 40_002,
  clientIsn: 2,
};
const NPM: TalkShape = { server: '10.0.2.1', serverPort: 443, client: '203.0.113.7', clientPort: 40_003, clientIsn: 3 };

interface Shape {
  legs: TalkShape[];
  /** By leg, server outward. */
  forwarded?: string[];
}

/** The legs of one WebSocket on tapes; c-1 passes, c-2 leaves the innermost leg only. */
function talk(tapes: Tape[], { legs, forwarded = [] }: Shape): void {
  const talks = legs.map((shape, i) => new Talk(tapes[i], shape));
  const last = legs.length - 1;
  talks.forEach((each, i) => {
    const request = forwarded[i] === undefined ? [] : [`X-Forwarded-For: ${forwarded[i]}`];
    each.open((last - i) * 2);
    each.send((last - i) * 2 + 1, 'client', upgradeRequest({ request }));
    each.send(20 + i, 'server', upgradeResponse());
  });
  talks.forEach((each, i) => void each.send(1000 + i, 'server', frame(command('c-1')), 0.1));
  const ack = masked(commandAck('c-1'));
  talks.forEach((each, i) => void each.send(1040 + last - i, 'client', ack, 0.1));
  talks[0].send(2000, 'server', frame(command('c-2')));
  for (const ms of [3000, 20_000])
    talks.forEach((each, i) => void each.send(ms + last - i, 'client', masked(`{"type":"Heartbeat","at":${ms}}`)));
  talks.forEach((each, i) => void each.send(21_000 + i, 'server', frame(command('c-3'))));
}

async function lost(tapes: Tape[], path?: string[]) {
  const [origin, npm] = tapes;
  const { of, warnings } = await hear({ origin, npm }, path === undefined ? {} : { path });
  const { outcome, reason } = of('c-2');
  return { outcome, reason, warnings };
}

describe('a hop between two given ones', () => {
  it('is known from the outer one’s connection to it', async () => {
    const tapes = [new Tape(), new Tape()];
    talk([tapes[0], tapes[1], tapes[1]], { legs: [ORIGIN, MIDDLE, NPM] });
    tapes[1].packets.sort((a, b) => a.atMs - b.atMs);
    expect(await lost(tapes)).toEqual({
      outcome: 'inconclusive',
      reason:
        'it left origin and was TCP-ACKed by 10.0.1.1, which is not npm: a capture there would settle it (name all hops with --path)',
      warnings: ['between origin and npm stands a hop that was not captured (10.0.1.1): name all hops with --path'],
    });
    // Whoever names the whole path knows it.
    expect(await lost(tapes, ['origin', 'npm'])).toMatchObject({ outcome: 'not-forwarded', warnings: [] });
  });

  it('is known from X-Forwarded-For, which names the outer one as a client', async () => {
    const tapes = [new Tape(), new Tape()];
    talk(tapes, { legs: [ORIGIN, NPM], forwarded: ['203.0.113.7, 10.0.2.1'] });
    expect(await lost(tapes)).toMatchObject({
      outcome: 'inconclusive',
      warnings: [expect.stringContaining('10.0.1.1')],
    });
  });

  it('is known from the outer one’s own connection inward, which is another than the inner one’s leg, where no opening was captured', async () => {
    // Two hops stand between, and nobody's address says so.
    const far: TalkShape = { ...MIDDLE, server: '10.0.5.1', client: '10.0.6.1', clientIsn: 9e8, serverIsn: 3e9 };
    const tapes = [new Tape(), new Tape()];
    talk([tapes[0], tapes[1], tapes[1]], { legs: [ORIGIN, far, NPM] });
    tapes[1].packets.sort((a, b) => a.atMs - b.atMs);
    const late = tapes.map((tape) => tape.between(500, 60_000));
    expect(await lost(late)).toMatchObject({
      outcome: 'inconclusive',
      warnings: expect.arrayContaining([expect.stringContaining('not captured (10.0.1.1)')]),
    });
    // The same connection at both ends, its client's address translated on the way.
    const translated = [new Tape(), new Tape()];
    const inward: TalkShape = { ...ORIGIN, client: '10.0.2.1', clientPort: 55_555 };
    talk([translated[0], translated[1], translated[1]], { legs: [ORIGIN, inward, NPM] });
    translated[1].packets.sort((a, b) => a.atMs - b.atMs);
    expect(await lost(translated.map((tape) => tape.between(500, 60_000)))).toMatchObject({
      warnings: expect.not.arrayContaining([expect.stringContaining('not captured')]),
    });
  });

  it('is known from X-Forwarded-For that names somebody behind the outer one’s client', async () => {
    const tapes = [new Tape(), new Tape()];
    talk(tapes, { legs: [ORIGIN, NPM], forwarded: ['203.0.113.7, 10.0.9.9'] });
    expect(await lost(tapes)).toMatchObject({
      outcome: 'inconclusive',
      warnings: [expect.stringContaining('10.0.1.1')],
    });
  });

  it('is not there where the list was begun before the outer one, or on its own host', async () => {
    for (const list of ['192.0.2.5, 203.0.113.7', '203.0.113.7, 127.0.0.1']) {
      const tapes = [new Tape(), new Tape()];
      talk(tapes, { legs: [{ ...ORIGIN, client: '10.0.2.1' }, NPM], forwarded: [list] });
      expect(await lost(tapes)).toMatchObject({ outcome: 'not-forwarded', warnings: [] });
    }
  });

  it('is not there where X-Real-IP names the agent again, the outer one’s own request not being captured', async () => {
    const tapes = [new Tape(), new Tape()];
    const legs = [
      { ...ORIGIN, client: '10.0.2.1' },
      { ...NPM, client: '10.0.9.1' },
    ];
    talk(tapes, { legs, forwarded: ['203.0.113.7, 10.0.9.1\r\nX-Real-IP: 203.0.113.7'] });
    const far = tapes[1].packets.findIndex(({ bytes }) => bytes.length > 200);
    expect(await lost([tapes[0], tapes[1].without(far + 1)])).toMatchObject({ warnings: [] });
  });

  it('is not there where the outer one wrote the list anew and passed X-Real-IP on, its own request not being captured', async () => {
    const tapes = [new Tape(), new Tape()];
    const legs = [
      { ...ORIGIN, client: '10.0.2.1' },
      { ...NPM, client: '10.0.9.1' },
    ];
    talk(tapes, { legs, forwarded: ['10.0.9.1\r\nX-Real-IP: 203.0.113.7'] });
    const far = tapes[1].packets.findIndex(({ bytes }) => bytes.length > 200);
    expect(await lost([tapes[0], tapes[1].without(far + 1)])).toMatchObject({ warnings: [] });
  });

  it('is not there where the list names the agent alone, or nobody', async () => {
    for (const forwarded of [['203.0.113.7'], []]) {
      const tapes = [new Tape(), new Tape()];
      talk(tapes, { legs: [{ ...ORIGIN, client: '10.0.2.1' }, NPM], forwarded });
      expect(await lost(tapes)).toMatchObject({ outcome: 'not-forwarded', warnings: [] });
    }
  });
});
