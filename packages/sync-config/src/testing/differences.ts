import { SeededRandom } from '@sluice/testing';
import { expect } from 'vitest';

/** A call as text, with the result here and in SQLite. */
export interface Comparison {
  readonly call: string;
  readonly ours: string;
  readonly sqlite: string;
}

/** For tests that may be told to run long. */
export const LONG_TEST_MS = 3_600_000;

/**
 * Compares ours with SQLite on what `round` makes up, many times over, and shows the first
 * differences. FUZZ_COUNT says how often, FUZZ_SEED where to begin.
 */
export function expectNoDifference(
  count: number,
  round: (random: SeededRandom) => Iterable<Comparison>,
): void {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
  const rounds = Number(process.env['FUZZ_COUNT'] ?? count);
  const random = new SeededRandom(seed);
  const differences: (Comparison & { seed: number; round: number })[] = [];
  for (let i = 0; i < rounds && differences.length < 5; i++) {
    for (const comparison of round(random)) {
      if (comparison.ours !== comparison.sqlite) {
        differences.push({ seed, round: i, ...comparison });
      }
    }
  }
  expect(differences).toEqual([]);
}
