import type { RowChange, WriteBatch } from '@sluice/storage';

/**
 * A history of batches: batch `n` of a seed is always the same, whoever asks for it, so that a
 * process that dies and one that compares need to agree on nothing but the seed.
 */
export function randomBatch(seed: number, n: number): WriteBatch {
  const random = randomNumbers(seed * 1_000_003 + n);
  const size = random() < 0.05 ? 1000 : 1 + Math.floor(random() * 40);
  const changes = Array.from({ length: size }, (_, at) => randomChange(random, n, at));
  const batch = { changes, resume: String(n), tables: [{ id: 1, state: `after ${n}` }] };
  return random() < 0.7 ? { ...batch, checkpoint: positionOf(n) } : batch;
}

/** The source position of batch `n`. */
export function positionOf(n: number): string {
  return String(n).padStart(9, '0');
}

export const ALL_BUCKETS = ['a[]', 'b[]', 'c[]', 'copies[]'];
export const ALL_LOOKUP_KEYS = ['k0', 'k1', 'k2', 'k3'];

function randomChange(random: () => number, n: number, at: number): RowChange {
  const key = `row ${Math.floor(random() * 300)}`;
  const choice = random();
  if (choice < 0.0005) return { kind: 'truncate', tableId: 1 };
  if (choice < 0.001) return { kind: 'drop-tombstones', tableId: 1 };
  if (choice < 0.2) return { kind: 'delete', tableId: 1, key, tombstone: random() < 0.3 };
  if (choice < 0.3) return copyChange(random);
  const buckets = ALL_BUCKETS.slice(0, 3).filter(() => random() < 0.5);
  const data = `{"batch":${n},"at":${at},"text":"${'x'.repeat(Math.floor(random() * 300))}"}`;
  const outputs = [{ objectType: 't', objectId: key, data, buckets }];
  const lookups = random() < 0.5 ? [] : [{ key: `k${n % 4}`, values: `["${key}"]` }];
  const copy = random() < 0.2 ? { copy: Buffer.from(`copy ${n}/${at}`) } : {};
  const ifAbsent = random() < 0.3;
  return { kind: 'put', tableId: 1, key, ifAbsent, row: { outputs, lookups }, ...copy };
}

function copyChange(random: () => number): RowChange {
  const key = `copy ${Math.floor(random() * 20)}`;
  if (random() < 0.5) return { kind: 'remove-copy', tableId: 2, key };
  const outputs = [{ objectType: 'u', objectId: key, data: `"${key}"`, buckets: ['copies[]'] }];
  return { kind: 'add-copy', tableId: 2, key, row: { outputs, lookups: [] } };
}

/** The generator called mulberry32: numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
