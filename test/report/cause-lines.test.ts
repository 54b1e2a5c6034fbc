import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import { causeLines } from '../../src/report/cause-lines.js';
import { style } from '../../src/report/style.js';
import { verdict } from './verdicts.js';

const finding = (id: string, agents: string[], more: Partial<Finding> = {}): Finding => ({
  id,
  severity: 'error',
  grade: 'measured',
  agents,
  connections: [],
  commands: [],
  summary: '',
  evidence: [],
  next: '',
  ...more,
});

function shown(findings: Finding[], width = 60): string[] {
  return [...causeLines({ ...verdict([]), findings }, width, style({ colour: false, unicode: true }))];
}

describe('the faults beside the counts', () => {
  it('are the errors, each with its agents, and no warnings', () => {
    const found = [
      finding('agent-ignores-commands', ['PST-SERVER', 'NVR-2']),
      finding('survives-reconnect', ['NVR-2'], { severity: 'warning' }),
      finding('hop-drops-text', [], { grade: 'inferred' }),
    ];
    expect(shown(found)).toEqual(['✗ agent-ignores-commands: PST-SERVER, NVR-2\n', '✗ hop-drops-text (inferred)\n']);
  });

  it('are cut short where there are many, of agents and of faults', () => {
    const many = Array.from({ length: 9 }, (_, i) => `AGENT-${i}`);
    expect(shown([finding('origin-restarted', many)])).toEqual([
      '✗ origin-restarted: AGENT-0, AGENT-1, AGENT-2, AGENT-3,\n',
      '  AGENT-4, AGENT-5, 3 more agents\n',
    ]);
    const found = Array.from({ length: 6 }, (_, i) => finding(`fault-${i}`, [`A-${i}`]));
    expect(shown(found).slice(-2)).toEqual(['✗ fault-3: A-3\n', '  and 2 more errors\n']);
  });

  it('cannot act upon the terminal', () => {
    expect(shown([finding('hop-drops-text', ['\u001b[31mred'])]).join('')).not.toContain('\u001b');
  });
});
