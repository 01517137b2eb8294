import { describe, expect, it } from 'vitest';
import { formatReport, fuzz } from './testing/fuzz/fuzz.ts';
import { sqliteRealText } from './values/sqlite/real-text.ts';

// The oracle is SQLite itself, asked with the same text. `npm run fuzz:sql -- --count N` tries more.

const TIMEOUT_MS = 600_000;

describe('random expressions have the value that SQLite gives them', () => {
  it.each([
    [4, 100_000, 20_261_125],
    [3, 20_000, 20_261_126],
  ] as const)(
    'in edition %i',
    (edition, count, seed) => {
      const report = fuzz({ edition, count, seed });
      const text = formatReport(report);
      process.stdout.write(`edition ${edition}: ${text}\n`);
      expect(report.differences, text).toEqual([]);
      expect(report.unreadable, text).toBe(0);
      const total = [...report.counts.values()].reduce((sum, each) => sum + each, 0);
      expect(total).toBe(count);
    },
    TIMEOUT_MS,
  );
});

it('writes a REAL as text like the SQLite of this repository', () => {
  expect([1 / 3, 1e16, 1e17, 49.47, 5e-324, -0].map(sqliteRealText)).toEqual([
    '0.33333333333333332',
    '10000000000000000.0',
    '1.0e+17',
    '49.47',
    '4.9406564584124654e-324',
    '0.0',
  ]);
});
