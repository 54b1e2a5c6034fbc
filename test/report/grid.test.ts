import { expect, it } from 'vitest';
import { grid, gridRows } from '../../src/report/grid.js';
import { style } from '../../src/report/style.js';

it('sets the same rows out in the same way, with cli-table3 and without', () => {
  const look = style({ colour: true, unicode: true });
  const rows = [
    [look.tone('bad', '✗ stalled'), 'cmd-1\nHV-01', `✓ TCP-ACKed\n${look.quiet('0.04 ms')}`, 'none\n×10'],
    ['✓ delivered', '会社-7\n', '◐ partial', ''],
  ];
  const widths = [15, 12, 12, 10];
  expect(gridRows(rows, widths)).toBe(grid(null, rows, widths, look));
});
