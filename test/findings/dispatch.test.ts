/** commands-not-sent, dispatch-stalled and handshake-stalled: what never became a message. */
import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk } from '../support/tape.js';
import { upgradeRequest } from '../support/web-socket-talk.js';
import { agentOn, citedOf, diagnosed, dispatch, heartbeat, idsOf, pinged, tapesOf } from './diagnosis.js';

/** Three agents that Ping on to 40 s; each works at 2 s. */
function fleet() {
  const { tapes, captures } = tapesOf('origin');
  const chains = ['A', 'B', 'C'].map((name, i) => agentOn(tapes, name, i * 10, { agent: i + 1 }));
  const works = (i: number, atMs: number, id: string) => {
    dispatch(tapes[0], atMs, 'ABC'[i], id);
    chains[i].outward(atMs + 10, frame(command(id)));
    chains[i].inward(atMs + 40, masked(commandAck(id)));
  };
  chains.forEach((chain, i) => {
    works(i, 2000 + i * 50, `c-ok-${i}`);
    for (let ms = 3000; ms < 40_000; ms += 2000) pinged(chain, ms + i);
  });
  return { tapes, captures, works };
}

describe('commands-not-sent', () => {
  it('is found for one agent while others get theirs', async () => {
    const { tapes, captures, works } = fleet();
    dispatch(tapes[0], 5000, 'A', 'c-never');
    works(1, 6000, 'c-ok-later');
    const findings = await diagnosed(captures());
    expect(idsOf(findings)).toEqual(['commands-not-sent']);
    expect(findings[0]).toMatchObject({ agents: ['A'], commands: ['c-never'], severity: 'error' });
    expect(citedOf(findings[0], 'origin.pcap')).toHaveLength(2);
    expect(findings[0].summary).toContain('while other frames left');
  });

  it('is no more than a warning for an agent that is not connected, and nothing where the server refused', async () => {
    const { tapes, captures } = fleet();
    dispatch(tapes[0], 5000, 'GONE', 'c-never');
    dispatch(tapes[0], 6000, 'GONE', 'c-refused', 409);
    const findings = await diagnosed(captures());
    expect(findings.map(({ id, severity, commands }) => [id, severity, commands])).toEqual([
      ['commands-not-sent', 'warning', ['c-never']],
    ]);
  });

  it('is not found where the frame may have been missed', async () => {
    const { tapes, captures } = fleet();
    dispatch(tapes[0], 5000, 'A', 'c-missed');
    const chain = agentOn(tapes, 'D', 4000, { agent: 9 });
    dispatch(tapes[0], 5500, 'D', 'c-missed-too');
    const before = tapes[0].packets.length;
    chain.outward(5600, frame(command('c-missed-too')));
    tapes[0].packets.splice(before, 1);
    for (let ms = 6000; ms < 40_000; ms += 2000) pinged(chain, ms + 7);
    const commands = (await diagnosed(captures())).find(({ id }) => id === 'commands-not-sent')?.commands;
    expect(commands).toEqual(['c-missed']);
  });
});

describe('dispatch-stalled', () => {
  it('is found where from some moment no command leaves for anyone', async () => {
    const { tapes, captures } = fleet();
    ['A', 'B', 'C'].forEach((agent, i) => {
      dispatch(tapes[0], 5000 + i * 100, agent, `c-stuck-${i}`, 0);
    });
    const findings = await diagnosed(captures());
    expect(idsOf(findings)).toEqual(['dispatch-stalled']);
    expect(findings[0].agents).toEqual(['A', 'B', 'C']);
    expect(findings[0].summary).toContain('none of the requests was answered');
  });

  it('is not found where one still gets a command afterwards', async () => {
    const { tapes, captures, works } = fleet();
    dispatch(tapes[0], 5000, 'A', 'c-1', 0);
    dispatch(tapes[0], 5100, 'B', 'c-2', 0);
    works(2, 6000, 'c-ok-later');
    expect(idsOf(await diagnosed(captures()))).toEqual(['commands-not-sent']);
  });
});

describe('handshake-stalled', () => {
  const asks = (untilMs: number) => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const fine = agentOn(tapes, 'FINE', 0, { agent: 1 });
    const numbers = tapes.map((tape, i) => {
      const talk = new Talk(tape, { clientPort: 60_000 + i, clientIsn: 77 + i, serverIsn: 99 + i }).open(3000);
      return talk.send(3001, 'client', upgradeRequest({ key: 'c3RhbGxlZCBoYW5kc2hha2U=' }));
    });
    heartbeat(fine, untilMs);
    return { captures, numbers };
  };

  it('is found at the innermost hop that the request came to, once', async () => {
    const { captures, numbers } = asks(15_000);
    const files = captures();
    const at = files['origin'].packets.length;
    expect(numbers[0]).toBeLessThan(at);
    const findings = await diagnosed(files);
    expect(idsOf(findings)).toEqual(['handshake-stalled']);
    expect(findings[0].summary).toContain('came to origin');
    expect(citedOf(findings[0], 'origin.pcap')).toHaveLength(1);
    expect(citedOf(findings[0], 'npm.pcap')).toEqual([]);
  });

  it('is not found where the capture ends at once', async () => {
    expect(idsOf(await diagnosed(asks(3500).captures()))).toEqual([]);
  });
});
