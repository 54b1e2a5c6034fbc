/** One four-tuple, several connections: the second one's SYN may be missing from the capture. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { ACK, FIN, RST, Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const KEYS = ['AAAAAAAAAAAAAAAAAAAAAA==', 'BBBBBBBBBBBBBBBBBBBBBA=='];

/** A WebSocket without its SYNs, the client's TCP ACK of the SYN-ACK first. */
function reconnected(tape: Tape, atMs: number, isns: { clientIsn: number; serverIsn: number }, n: number): Talk {
  const talk = new Talk(tape, isns);
  talk.segment(atMs, 'client');
  talk.send(atMs + 1, 'client', upgradeRequest({ key: KEYS[n] }));
  talk.send(atMs + 2, 'server', upgradeResponse({ key: KEYS[n] }));
  talk.send(atMs + 50, 'client', masked(`{"type":"Authenticate","agent_id":"A-1"}`));
  talk.send(atMs + 100, 'server', frame(command(`c-${n}`)));
  talk.send(atMs + 140, 'client', masked(commandAck(`c-${n}`)));
  return talk;
}

const FIRST = { clientIsn: 1_000_000, serverIsn: 5_000_000 };

async function heard(tape: Tape) {
  const { verdict, commands } = await hear({ npm: tape });
  return {
    connections: verdict.connections.length,
    commands: commands.map((each) => [each.id, each.outcome, each.attempts.length]),
    trust: verdict.hops[0].captures[0].trust,
  };
}

const TWO = { connections: 2, commands: [0, 1].map((n) => [`c-${n}`, 'delivered', 1]), trust: 'full' };

describe('a connection on a four-tuple that was used before, its SYN not captured', () => {
  it('is another one behind the FIN: of a server in TIME-WAIT it goes on 64 KiB further', async () => {
    const tape = new Tape();
    const first = reconnected(tape, 0, FIRST, 0);
    first.segment(1000, 'server', { flags: ACK | FIN });
    first.segment(1001, 'client', { flags: ACK | FIN });
    first.segment(1002, 'server');
    const serverIsn = FIRST.serverIsn + first.sent('server') + 65_537;
    reconnected(tape, 1100, { clientIsn: FIRST.clientIsn + 40_000_000, serverIsn }, 1).segment(20_000, 'client');
    expect(await heard(tape)).toEqual(TWO);
  });

  it('is another one behind a hole that took FINs and opening: a server in TIME-WAIT goes on 64 KiB further, its client by its clock', async () => {
    for (const jump of [24_000_000, 70_000_000]) {
      const tape = new Tape();
      const first = reconnected(tape, 0, FIRST, 0);
      const isns = {
        clientIsn: FIRST.clientIsn + first.sent('client') + jump,
        serverIsn: FIRST.serverIsn + first.sent('server') + 65_537,
      };
      const second = new Talk(new Tape(), isns);
      second.send(1100, 'client', upgradeRequest({ key: KEYS[1] }));
      second.send(1101, 'server', upgradeResponse({ key: KEYS[1] }));
      const unseen = second.tape.packets.length;
      for (let ms = 2000; ms < 20_000; ms += 2000)
        second.send(ms, 'client', masked(`{"type":"Heartbeat","agent_id":"A-1","at":${ms}}`));
      second.send(20_100, 'server', frame(command('c-1')));
      second.send(20_140, 'client', masked(commandAck('c-1')));
      for (const { atMs, bytes } of second.tape.packets.slice(unseen)) tape.add(atMs, bytes);
      expect(await heard(tape)).toEqual(TWO);
    }
  });

  it('is the same one where as much was lost of one direction alone', async () => {
    const tape = new Tape();
    const talk = reconnected(tape, 0, FIRST, 0);
    talk.segment(2000, 'client', { data: masked('{"type":"Heartbeat"}'), at: talk.sent('client') + 24_000_000 });
    expect((await heard(tape)).connections).toBe(1);
  });

  it('is another one after a RST, however it begins', async () => {
    const tape = new Tape();
    reconnected(tape, 0, FIRST, 0).segment(1000, 'client', { flags: ACK | RST });
    reconnected(tape, 1100, { clientIsn: 700_000_000, serverIsn: 2_900_000_000 }, 1).segment(20_000, 'client');
    expect(await heard(tape)).toEqual(TWO);
  });

  it('is not begun by what is sent again after the FIN', async () => {
    const tape = new Tape();
    const talk = reconnected(tape, 0, FIRST, 0);
    const at = talk.sent('server');
    talk.send(900, 'server', frame(command('c-1')));
    talk.send(940, 'client', masked(commandAck('c-1')));
    talk.segment(1000, 'server', { flags: ACK | FIN });
    talk.segment(1300, 'server', { at, data: frame(command('c-1')) });
    talk.segment(1301, 'client', { flags: ACK | FIN });
    talk.segment(1302, 'server');
    talk.segment(20_000, 'client');
    expect(await heard(tape)).toEqual({ ...TWO, connections: 1 });
  });
});

describe('a command that the agent’s end answers with a RST', () => {
  const reset = async (acked: 'covered' | 'not covered') => {
    const tape = new Tape();
    const talk = reconnected(tape, 0, FIRST, 0);
    const before = talk.sent('server');
    talk.segment(1000, 'server', { data: frame(command('c-1')) });
    talk.segment(1001, 'client', { flags: ACK | RST, ...(acked === 'covered' ? {} : { acked: before }) });
    reconnected(tape, 2000, { clientIsn: 700_000_000, serverIsn: 2_900_000_000 }, 1).segment(20_000, 'client');
    return (await hear({ npm: tape })).of('c-1').attempts[0];
  };

  it('may have arrived where the RST’s own ACK number covers it', async () => {
    const attempt = await reset('covered');
    expect(ruling(attempt)).toBe('inconclusive npm -');
    expect(attempt.reason).toContain("the RST's own ACK number");
  });

  it('did not where it does not', async () => {
    expect(ruling(await reset('not covered'))).toBe('stalled npm npm->agent');
  });
});
