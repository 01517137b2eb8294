import { expect, test } from 'vitest';
import { fuzzDecoder } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);

/** `npm run fuzz:decoders -- --count 100000` runs more. */
const COUNTS: Readonly<Record<string, number>> = { 'sync config': 60, 'service config': 60 };

test.each(TARGETS)(
  `$name: damaged input and bombs give a result or a typed error (seed ${SEED})`,
  async (target) => {
    const report = await fuzzDecoder(target, { count: COUNTS[target.name] ?? 1000, seed: SEED });
    expect(report.failures).toEqual([]);
    expect(report.accepted).toBeGreaterThan(0);
  },
);
