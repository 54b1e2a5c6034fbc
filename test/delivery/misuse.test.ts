/** What the user is told about the inputs before the verdict is believed. */

import { describe, expect, it } from 'vitest';
import { command, frame, masked } from '../support/frames.js';
import { Talk, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { webSocket } from '../support/web-socket-talk.js';
import { Scene } from './scene.js';

describe('an order of hops that nothing proves', () => {
  const LOOPBACK = { client: '127.0.0.1', server: '127.0.0.1' };

  it('is said, as a warning, in the hop, and in the reason of every failure that depends on it', async () => {
    const tapes = [new Tape(), new Tape()];
    const [inner, outer] = tapes.map(
      (tape, i) => new Talk(tape, { ...LOOPBACK, serverPort: 3001 + i, clientPort: 40_000 + i, clientIsn: i }),
    );
    for (const [n, id] of ['c-1', 'c-2', 'c-3'].entries())
      for (const leg of [inner, outer]) leg.send(1000 + n, 'server', frame(command(id)));
    inner.send(2000, 'server', frame(command('c-lost')));
    for (const ms of [3000, 20_000])
      for (const leg of [inner, outer]) leg.send(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
    for (const ms of [21_000]) for (const leg of [inner, outer]) leg.send(ms, 'server', frame(command('c-4')));
    const { warnings, verdict, of } = await hear({ origin: tapes[0], nginx: tapes[1] });
    expect(warnings).toEqual([expect.stringContaining('the order of origin and nginx could not be checked')]);
    expect(verdict.hops.map(({ orderProven }) => orderProven)).toEqual([null, false]);
    const lost = of('c-lost');
    expect(lost.outcome).toBe('not-forwarded');
    expect(lost.reason).toContain('(the order of origin and nginx could not be checked)');
  });
});

describe('captures of different times', () => {
  it('that share no connection are said', async () => {
    const [origin] = new Scene(['origin', 'npm']).goOn(3000).tapes;
    const npm = new Tape();
    const other = webSocket(npm, 86_400_000, { clientIsn: 3 }, { key: 'AAAAAAAAAAAAAAAAAAAAAA==' });
    other.send(86_401_000, 'server', frame(command('another-day')));
    const { warnings } = await hear({ origin, npm });
    expect(warnings.filter((text) => text.includes('apart'))).toEqual([
      expect.stringMatching(/^the captures of origin and npm are \d+ s apart and share no connection/),
    ]);
  });

  it('are none where only a clock is far off', async () => {
    const { origin, npm } = new Scene(['origin', 'npm'], {}, [0, 86_400_000]).goOn(3000).captures;
    expect((await hear({ origin, npm })).warnings).toEqual([]);
  });
});

describe('one capture given for two hops', () => {
  const heardOf = (...ports: number[]) => {
    const tape = new Tape();
    for (const [i, serverPort] of ports.entries()) {
      const talk = new Talk(tape, { serverPort, clientPort: 40_000 + i, clientIsn: i }).open(i);
      talk.send(100 + i, 'server', frame(command(`c-${i}`)));
      talk.send(200 + i, 'client', masked(`{"type":"Heartbeat","at":${i}}`));
    }
    const cut = tape.cut(54); // nothing but headers
    return hear({ core: cut, outer: cut });
  };

  it('is refused where it holds the connections of one server', async () => {
    await expect(heardOf(3001)).rejects.toThrow('the connections of one hop only');
  });

  it('is not where it holds those of two, though neither can be read', async () => {
    await expect(heardOf(3001, 9000)).resolves.toMatchObject({ verdict: { hops: [{}, {}] } });
  });
});
