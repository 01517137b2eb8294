import type { Discarded, RowChange, WriteBatch } from '@sluice/storage';
import { SeededRandom } from '@sluice/testing';

/**
 * A history of batches: batch `n` of a seed is always the same, whoever asks for it, so that a
 * process that dies and one that compares need to agree on nothing but the seed.
 */
export function randomBatch(seed: number, n: number): WriteBatch {
  const random = new SeededRandom(seed * 1_000_003 + n);
  const size = random.chance(0.05) ? 1000 : 1 + random.int(40);
  const changes = Array.from({ length: size }, (_, at) => randomChange(random, n, at));
  const batch = { changes, resume: String(n), tables: [{ id: 1, state: `after ${n}` }] };
  return random.chance(0.7) ? { ...batch, checkpoint: positionOf(n) } : batch;
}

/** The source position of batch `n`. */
function positionOf(n: number): string {
  return String(n).padStart(9, '0');
}

/** Batches between two discards. */
const FILL_BATCHES = 12;
/** Prefixes take turns, so that names come back. */
const FILLS = ['fill.1#', 'fill.10#', 'fill.2#'];
const FILL_TABLE = 100;

/** What is to be gone before batch `n` is written. */
export function discardedBefore(n: number): Discarded | undefined {
  const isDue = n > 0 && n % FILL_BATCHES === 0;
  return isDue ? { prefixes: [fillOf(n)], tables: [fillTableOf(n)] } : undefined;
}

function fillOf(n: number): string {
  return FILLS[Math.floor(n / FILL_BATCHES) % FILLS.length] ?? '';
}

/** A table whose rows are in the buckets of one fill only. */
function fillTableOf(n: number): number {
  return FILL_TABLE + (Math.floor(n / FILL_BATCHES) % FILLS.length);
}

const KEPT_BUCKETS = ['a[]', 'b[]', 'c[]'];
export const ALL_BUCKETS = [
  ...KEPT_BUCKETS,
  'copies[]',
  ...FILLS.flatMap((fill) => [`${fill}x[]`, `${fill}y[]`]),
];
const NUMBER_KEYS = ['n0', 'n1'];
export const ALL_LOOKUP_KEYS = [
  'k0',
  'k1',
  'k2',
  'k3',
  ...NUMBER_KEYS,
  ...FILLS.flatMap((fill) => [`${fill}k`, `${fill}n`]),
];

function randomChange(random: SeededRandom, n: number, at: number): RowChange {
  const key = `row ${random.int(300)}`;
  const choice = random.next();
  if (choice < 0.0005) return { kind: 'truncate', tableId: 1 };
  if (choice < 0.001) return { kind: 'drop-tombstones', tableId: 1 };
  if (choice < 0.2) return { kind: 'delete', tableId: 1, key, tombstone: random.chance(0.3) };
  if (choice < 0.3) return copyChange(random);
  const fill = fillOf(n);
  if (choice < 0.35) {
    return {
      kind: 'raise',
      key: random.pick([...NUMBER_KEYS, `${fill}n`]),
      value: BigInt(1 + random.int(10 * n + 10)),
    };
  }
  const inFill = random.chance(0.2);
  const filled = [`${fill}x[]`, `${fill}y[]`];
  const candidates = inFill ? filled : [...KEPT_BUCKETS, ...filled];
  const buckets = candidates.filter(() => random.chance(0.5));
  const data = `{"batch":${n},"at":${at},"text":"${'x'.repeat(random.int(300))}"}`;
  const outputs = [{ objectType: 't', objectId: key, data, buckets }];
  const lookupKey = inFill || random.chance(0.2) ? `${fill}k` : `k${n % 4}`;
  const lookups = random.chance(0.5) ? [] : [{ key: lookupKey, values: `["${key}"]` }];
  const copy = random.chance(0.2) ? { copy: Buffer.from(`copy ${n}/${at}`) } : {};
  const ifAbsent = random.chance(0.3);
  const tableId = inFill ? fillTableOf(n) : 1;
  return { kind: 'put', tableId, key, ifAbsent, row: { outputs, lookups }, ...copy };
}

function copyChange(random: SeededRandom): RowChange {
  const key = `copy ${random.int(20)}`;
  if (random.chance(0.5)) return { kind: 'remove-copy', tableId: 2, key };
  const outputs = [{ objectType: 'u', objectId: key, data: `"${key}"`, buckets: ['copies[]'] }];
  return { kind: 'add-copy', tableId: 2, key, row: { outputs, lookups: [] } };
}
