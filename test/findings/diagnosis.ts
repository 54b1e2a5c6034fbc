/** Tapes through files to the findings, as the command line would have it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { AnalyseOptions } from '../../src/delivery/analyse.js';
import type { Finding, Hypothesis, Verdict } from '../../src/delivery/verdict.js';
import { analyse } from '../../src/findings/analyse.js';
import { Chain, type ChainShape } from '../support/chain.js';
import { masked, ping, pong } from '../support/frames.js';
import { octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';

export async function diagnosed(tapes: Record<string, Tape>, options: AnalyseOptions = {}): Promise<Finding[]> {
  return (await judged(tapes, options)).findings;
}

/** Each agent's hypotheses by ID; `status` alone where `because` is not asked for. */
export async function hypotheses(
  tapes: Record<string, Tape>,
  agent = 'PST-SERVER',
  options: AnalyseOptions = {},
): Promise<Map<string, Hypothesis>> {
  const found = (await judged(tapes, options)).hypotheses.filter((each) => each.agent === agent);
  return new Map(found.map((each) => [each.id, each]));
}

/** Files are named after their hops, without the directory. */
export async function judged(
  tapes: Record<string, Tape>,
  options: AnalyseOptions & { latency?: boolean } = {},
): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), 'lasthop-findings-'));
  try {
    const hops = Object.entries(tapes).map(([name, tape]) => {
      const file = join(directory, `${name}.pcap`);
      writeFileSync(file, tape.file());
      return { name, files: [file] };
    });
    const verdict = await analyse(hops, options);
    for (const finding of verdict.findings) for (const each of finding.evidence) each.file = basename(each.file);
    return verdict;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const idsOf = (findings: Finding[]): string[] => findings.map(({ id }) => id);

/** All packets that a finding cites of one file. */
export function citedOf(finding: Finding, file: string): number[] {
  return finding.evidence.filter((each) => each.file === file).flatMap(({ packets }) => packets);
}

/** An agent that has logged in on a chain of its own; several share the tapes. */
export function agentOn(tapes: readonly Tape[], name: string, atMs: number, shape: ChainShape): Chain {
  const key = Buffer.from(`${name} ${atMs}`.padEnd(16).slice(0, 16)).toString('base64');
  const chain = new Chain(tapes, { key, ...shape }).open(atMs);
  chain.inward(atMs + 50, masked(`{"type":"Authenticate","agent_id":"${name}"}`));
  return chain;
}

/** A Ping outward and its Pong back. */
export function pinged(chain: Chain, atMs: number, pongAfterMs = 5): void {
  const payload = String(atMs);
  chain.outward(atMs, ping(payload));
  chain.inward(atMs + pongAfterMs, pong(payload));
}

export function heartbeat(chain: Chain, atMs: number): void {
  chain.inward(atMs, masked(`{"type":"Heartbeat","at":${atMs}}`));
}

/** `POST /api/agents/:id/command` on the server's port; without `answer` it hangs. */
export function dispatch(tape: Tape, atMs: number, agent: string, id: string, answer = 202): void {
  const talk = new Talk(tape, { client: '127.0.0.1', clientPort: 50_000 + (atMs % 10_000), clientIsn: atMs }).open(
    atMs,
  );
  const body = `{"id":"${id}","cmd":"hostname"}`;
  const head = `POST /api/agents/${agent}/command HTTP/1.1\r\nHost: s\r\nContent-Length: ${body.length}\r\n\r\n`;
  talk.send(atMs + 1, 'client', octets(head + body));
  if (answer === 0) return;
  const reply = `{"id":"${id}"}`;
  talk.send(atMs + 2, 'server', octets(`HTTP/1.1 ${answer} X\r\nContent-Length: ${reply.length}\r\n\r\n${reply}`));
}

/** What several chains do, told in any order and done in order of time: each TCP stream then is in order, too. */
export class Timeline {
  private readonly plan: { atMs: number; act: (atMs: number) => void }[] = [];

  at(atMs: number, act: (atMs: number) => void): this {
    this.plan.push({ atMs, act });
    return this;
  }

  every(stepMs: number, fromMs: number, toMs: number, act: (atMs: number) => void): this {
    for (let ms = fromMs; ms < toMs; ms += stepMs) this.at(ms, act);
    return this;
  }

  play(): void {
    for (const { atMs, act } of this.plan.sort((a, b) => a.atMs - b.atMs)) act(atMs);
  }
}

/** Tapes of as many hops, in time order for writing a file: several chains write to one tape. */
export function tapesOf(...hops: string[]): { tapes: Tape[]; captures: () => Record<string, Tape> } {
  const tapes = hops.map(() => new Tape());
  const captures = () => {
    for (const tape of tapes) tape.packets.sort((a, b) => a.atMs - b.atMs);
    return Object.fromEntries(hops.map((hop, i) => [hop, tapes[i]]));
  };
  return { tapes, captures };
}
