import { expect, test } from 'vitest';
import { fuzzDecoder } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);

/** `npm run fuzz:decoders -- --count 100000` runs more. */
const COUNTS: Readonly<Record<string, number>> = { 'sync config': 60, 'service config': 60 };

test('every kind of decoder is among them', () => {
  const names = TARGETS.map(({ name }) => name).join(', ');
  for (const kind of ['pgoutput', 'BSON', 'RSocket', 'JSON', 'config', 'JWT']) {
    expect(names).toContain(kind);
  }
});

test.each(TARGETS)(
  `$name: damaged input and bombs give a result or a typed error, in bounded memory (seed ${SEED})`,
  async (target) => {
    const report = await fuzzDecoder(target, { count: COUNTS[target.name] ?? 1000, seed: SEED });
    expect(report.failures).toEqual([]);
    expect(report.accepted).toBeGreaterThan(0);
  },
);

// Last, as the peak of a process only rises: what comes after it would be measured from there.
test('an input that makes its decoder take much memory is a failure', async () => {
  const greedy = {
    name: 'greedy',
    samples: [Buffer.from('a')],
    bombs: { bomb: Buffer.from('b') },
    decode: (bytes: Uint8Array) => (bytes[0] === 98 ? Buffer.alloc(400 << 20, 1).length : 0),
    isRefusal: () => false,
  };
  const { failures } = await fuzzDecoder(greedy, { count: 0, seed: SEED });
  expect(failures).toMatchObject([{ input: 'bomb', problem: expect.stringMatching(/MiB/) }]);
});
