/** split-connection, origin-restarted, idle-timeout, survives-reconnect, changed-after: what several connections tell together. */
import { describe, expect, it } from 'vitest';
import type { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { ACK, FIN, type Party, RST } from '../support/tape.js';
import { agentOn, citedOf, diagnosed, heartbeat, idsOf, judged, pinged, Timeline, tapesOf } from './diagnosis.js';

function close(chain: Chain, atMs: number, hop: number): void {
  chain.legs.forEach((leg, i) => {
    const first: Party = i >= hop ? 'server' : 'client';
    const second: Party = first === 'server' ? 'client' : 'server';
    leg.segment(atMs + i * 0.1, first, { flags: FIN | ACK });
    leg.segment(atMs + 0.5 + i * 0.1, second, { flags: FIN | ACK });
  });
}

describe('split-connection', () => {
  function split(alive: boolean) {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const old = agentOn(tapes, 'SPLIT', 0, { agent: 1 });
    heartbeat(old, 1000);
    const fresh = agentOn(tapes, 'SPLIT', 2000, { agent: 2 });
    const time = new Timeline().every(3000, 3000, 40_000, (ms) => {
      heartbeat(fresh, ms);
      pinged(old, ms + 100);
      if (alive) heartbeat(old, ms + 200);
    });
    let number = 0;
    time.at(5000, (ms) => {
      [number] = old.outward(ms, frame(command('c-bad')));
    });
    time.play();
    return { captures, number };
  }

  it('is found where the agent speaks on the newer and the command goes out on the older', async () => {
    const { captures, number } = split(false);
    expect(number).toBeGreaterThan(0);
    const findings = await diagnosed(captures());
    expect(idsOf(findings)).toEqual(['split-connection']);
    expect(findings[0]).toMatchObject({ agents: ['SPLIT'], connections: ['c1', 'c2'], commands: ['c-bad'] });
    expect(citedOf(findings[0], 'origin.pcap')).toHaveLength(5);
  });

  it('is found where the innermost capture begins after both were opened', async () => {
    const { origin, npm } = split(false).captures();
    const findings = await diagnosed({ origin: origin.between(6000, 60_000), npm });
    expect(idsOf(findings)).toContain('split-connection');
    expect(citedOf(findings[0], 'npm.pcap').length).toBeGreaterThan(0);
  });

  it('is not found where both are in use: two machines of one name', async () => {
    expect(idsOf(await diagnosed(split(true).captures()))).toEqual(['agent-ignores-commands']);
  });
});

describe('origin-restarted', () => {
  function fleet(closeMs: readonly number[], back: boolean, by = 0) {
    const { tapes, captures } = tapesOf('origin', 'npm');
    closeMs.forEach((ms, i) => {
      const chain = agentOn(tapes, `N-${i}`, i * 10, { agent: i + 1 });
      if (i === 0) chain.outward(ms - 50, frame(command('c-flight')));
      close(chain, ms, by);
      if (back) heartbeat(agentOn(tapes, `N-${i}`, 12_000 + i * 10, { agent: i + 21 }), 25_000);
    });
    return captures();
  }

  it('is found where all close at one moment and come back', async () => {
    const findings = await diagnosed(fleet([9000, 9001, 9002], true));
    expect(idsOf(findings)).toEqual(['origin-restarted']);
    expect(findings[0].agents.sort()).toEqual(['N-0', 'N-1', 'N-2']);
    expect(findings[0].summary).toContain('origin closed all of its 3 connections');
  });

  it('is not found where a Close frame of the agents may have come first: octets of theirs are missing from just before', async () => {
    const { tapes, captures } = tapesOf('origin');
    const wishMs = [9000, 9001, 9002];
    for (let i = 0; i < 3; i++) {
      const chain = agentOn(tapes, `N-${i}`, i * 10, { agent: i + 1 });
      const [leg] = chain.legs;
      leg.send(wishMs[i], 'client', masked(new Uint8Array([3, 232]), { opcode: 8 }));
      leg.send(9000.5 + i, 'server', frame(new Uint8Array([3, 232]), { opcode: 8 }));
      close(chain, 9020 + i, 0);
      heartbeat(agentOn(tapes, `N-${i}`, 12_000 + i * 10, { agent: i + 21 }), 25_000);
    }
    const { origin } = captures();
    const wishes = origin.packets.flatMap(({ atMs }, i) => (wishMs.includes(atMs) ? [i + 1] : []));
    expect(wishes).toHaveLength(3);
    expect(idsOf(await diagnosed({ origin: origin.without(...wishes) }))).not.toContain('origin-restarted');
    // With them it is the agents' own doing, too.
    expect(idsOf(await diagnosed(captures()))).not.toContain('origin-restarted');
  });

  it('is not found where another hop shows that the agents said farewell first, or stamps are too coarse to tell', async () => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    for (let i = 0; i < 3; i++) {
      const chain = agentOn(tapes, `N-${i}`, i * 10, { agent: i + 1 });
      chain.inward(9000 + i, masked(new Uint8Array([3, 232]), { opcode: 8 }));
      chain.outward(9003 + i, frame(new Uint8Array([3, 232]), { opcode: 8 }));
      close(chain, 9020 + i, 0);
      heartbeat(agentOn(tapes, `N-${i}`, 12_000 + i * 10, { agent: i + 21 }), 25_000);
    }
    const { origin, npm } = captures();
    // Origin's stamps are late for what comes in: its own Close frames stand before.
    for (const packet of origin.packets) if (packet.atMs >= 9000 && packet.atMs < 9003) packet.atMs += 4;
    origin.packets.sort((a, b) => a.atMs - b.atMs);
    expect(idsOf(await diagnosed({ origin, npm }))).not.toContain('origin-restarted');
    for (const packet of npm.packets) packet.atMs = Math.floor(packet.atMs / 1000) * 1000;
    expect(idsOf(await diagnosed({ npm }))).not.toContain('origin-restarted');
  });

  it('names the hop that closed', async () => {
    const findings = await diagnosed(fleet([9000, 9001, 9002], true, 1));
    expect(idsOf(findings)).toEqual(['origin-restarted']);
    expect(findings[0].summary).toContain('npm closed all');
  });

  it('is not found where the agents closed, though of the outer leg only the direction to them was captured', async () => {
    const { npm, ...inner } = fleet([9000, 9001, 9002], true, 2);
    const fromAgents = npm.packets.flatMap(({ bytes }, i) => (bytes[26] === 203 ? [i + 1] : []));
    expect(fromAgents.length).toBeGreaterThan(3);
    const oneWay = { ...inner, npm: npm.without(...fromAgents) };
    expect(idsOf(await diagnosed(oneWay))).not.toContain('origin-restarted');
    const { closes = [] } = await judged(oneWay);
    expect(closes.map(({ by }) => by)).toEqual([null]);
  });

  it('is not found without reconnects, or where one closes after the other', async () => {
    expect(idsOf(await diagnosed(fleet([9000, 9001, 9002], false)))).not.toContain('origin-restarted');
    expect(idsOf(await diagnosed(fleet([7000, 9001, 11_000], true)))).not.toContain('origin-restarted');
  });
});

describe('idle-timeout', () => {
  function quiet(idleMs: readonly number[]) {
    const { tapes, captures } = tapesOf('origin', 'npm');
    let ms = 0;
    idleMs.forEach((idle, i) => {
      const chain = agentOn(tapes, 'QUIET', ms, { agent: i + 1 });
      heartbeat(chain, ms + 1000);
      close(chain, ms + 1000 + idle, 1);
      ms += 70_000;
    });
    return captures();
  }

  it('is found where a hop closed after the same time of silence each time', async () => {
    const findings = await diagnosed(quiet([60_000, 60_010, 60_030]));
    expect(idsOf(findings)).toEqual(['idle-timeout']);
    expect(findings[0]).toMatchObject({ severity: 'warning', agents: ['QUIET'] });
    expect(findings[0].summary).toContain('npm closed 3 connections');
    expect(citedOf(findings[0], 'npm.pcap')).toHaveLength(3);
  });

  it('is not found for different times, or for one close only', async () => {
    expect(idsOf(await diagnosed(quiet([60_000, 41_000, 52_000])))).toEqual([]);
    expect(idsOf(await diagnosed(quiet([60_000])))).toEqual([]);
  });
});

describe('survives-reconnect and changed-after', () => {
  it('are found where the first connection worked and the next two did not', async () => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const first = agentOn(tapes, 'NVR', 0, { agent: 1 });
    const [worked] = first.outward(2000, frame(command('c-ok')));
    first.inward(2040, masked(commandAck('c-ok')));
    close(first, 5000, 2);
    [6000, 40_000].forEach((ms, i) => {
      const next = agentOn(tapes, 'NVR', ms, { agent: i + 2 });
      next.outward(ms + 1000, frame(command(`c-${i}`)));
      for (let at = ms + 2000; at < ms + 30_000; at += 3000) pinged(next, at);
      if (i === 0) for (const leg of next.legs) leg.segment(ms + 30_000, 'client', { flags: RST | ACK });
    });
    const findings = await diagnosed(captures());
    expect(idsOf(findings)).toEqual(['agent-ignores-commands', 'survives-reconnect', 'changed-after']);
    expect(findings[1].connections).toEqual(['c2', 'c3']);
    expect(findings[2].summary).toContain('a reconnect at');
    expect(citedOf(findings[2], 'origin.pcap')).toContain(worked);
  });

  it('are found where the next ones were too short for a Ping after the command, if they are three or more', async () => {
    const shortLived = async (many: number) => {
      const { tapes, captures } = tapesOf('origin', 'npm');
      const works = agentOn(tapes, 'OK', 0, { agent: 1 });
      const first = agentOn(tapes, 'FLAP', 10, { agent: 2 });
      first.outward(500, frame(command('c-ok')));
      first.inward(540, masked(commandAck('c-ok')));
      close(first, 1000, 2);
      for (let i = 0; i < many; i++) {
        const next = agentOn(tapes, 'FLAP', 1100 + i * 600, { agent: 3 + i });
        next.outward(1100 + i * 600 + 200, frame(command(`c-${i}`)));
        close(next, 1100 + i * 600 + 500, 2);
      }
      for (let at = 5000; at < 60_000; at += 5000) pinged(works, at);
      const { findings, agents, hypotheses: concluded } = await judged(captures());
      const split = concluded?.find(({ id, agent }) => id === 'split-connection' && agent === 'FLAP');
      const flap = agents?.find(({ agent }) => agent === 'FLAP');
      return { ids: idsOf(findings), count: flap?.connectionCount, split: split?.because };
    };
    expect(await shortLived(2)).toMatchObject({ ids: [], count: 3 });
    const long = await shortLived(60);
    expect(long).toMatchObject({ ids: ['survives-reconnect', 'changed-after'], count: 61 });
    // One after the other, none of them was open beside the one that failed.
    expect(long.split).not.toContain('open as well');
  });

  it('survives-reconnect is not found where the fresh connection worked', async () => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const first = agentOn(tapes, 'NVR', 0, { agent: 1 });
    first.outward(2000, frame(command('c-bad')));
    for (let at = 3000; at < 20_000; at += 3000) pinged(first, at);
    close(first, 20_000, 2);
    const next = agentOn(tapes, 'NVR', 21_000, { agent: 2 });
    next.outward(22_000, frame(command('c-ok')));
    next.inward(22_040, masked(commandAck('c-ok')));
    for (let at = 23_000; at < 40_000; at += 3000) pinged(next, at);
    expect(idsOf(await diagnosed(captures()))).toEqual(['agent-ignores-commands']);
  });
});
