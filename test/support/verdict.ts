/** Tapes through files to the verdict, as the command line would have it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnalyseOptions, hearCase } from '../../src/delivery/analyse.js';
import type { CommandVerdict, Verdict } from '../../src/delivery/verdict.js';
import type { Tape } from './tape.js';

export interface Heard {
  verdict: Omit<Verdict, 'findings' | 'hypotheses' | 'summary'>;
  commands: CommandVerdict[];
  /** The command with this ID. */
  of(id: string): CommandVerdict;
  warnings: string[];
}

export async function hear(tapes: Record<string, Tape | Tape[]>, options: AnalyseOptions = {}): Promise<Heard> {
  const directory = mkdtempSync(join(tmpdir(), 'lasthop-test-'));
  try {
    const hops = Object.entries(tapes).map(([name, given]) => ({
      name,
      files: [given].flat().map((tape, i) => {
        const file = join(directory, `${name}-${i}.pcap`);
        writeFileSync(file, tape.file());
        return file;
      }),
    }));
    const warnings: string[] = [];
    const { verdict } = await hearCase(hops, { warn: (text) => void warnings.push(text), ...options });
    const commands = [...verdict.commands];
    const of = (id: string): CommandVerdict => {
      const found = commands.find((each) => each.id === id);
      if (found === undefined) throw new Error(`no verdict on ${id}, only on ${commands.map((each) => each.id)}`);
      return found;
    };
    return { verdict, commands, of, warnings };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Outcome, lastHop and lostAt in one line: `stalled npm npm->agent`. */
export function ruling({ outcome, lastHop, lostAt }: Pick<CommandVerdict, 'outcome' | 'lastHop' | 'lostAt'>): string {
  return `${outcome} ${lastHop ?? '-'} ${lostAt ?? '-'}`;
}
