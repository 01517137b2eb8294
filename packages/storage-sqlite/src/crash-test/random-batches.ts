import type { RowChange, WriteBatch } from '@sluice/storage';
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

export const ALL_BUCKETS = ['a[]', 'b[]', 'c[]', 'copies[]'];
export const ALL_LOOKUP_KEYS = ['k0', 'k1', 'k2', 'k3'];

function randomChange(random: SeededRandom, n: number, at: number): RowChange {
  const key = `row ${random.int(300)}`;
  const choice = random.next();
  if (choice < 0.0005) return { kind: 'truncate', tableId: 1 };
  if (choice < 0.001) return { kind: 'drop-tombstones', tableId: 1 };
  if (choice < 0.2) return { kind: 'delete', tableId: 1, key, tombstone: random.chance(0.3) };
  if (choice < 0.3) return copyChange(random);
  const buckets = ALL_BUCKETS.slice(0, 3).filter(() => random.chance(0.5));
  const data = `{"batch":${n},"at":${at},"text":"${'x'.repeat(random.int(300))}"}`;
  const outputs = [{ objectType: 't', objectId: key, data, buckets }];
  const lookups = random.chance(0.5) ? [] : [{ key: `k${n % 4}`, values: `["${key}"]` }];
  const copy = random.chance(0.2) ? { copy: Buffer.from(`copy ${n}/${at}`) } : {};
  const ifAbsent = random.chance(0.3);
  return { kind: 'put', tableId: 1, key, ifAbsent, row: { outputs, lookups }, ...copy };
}

function copyChange(random: SeededRandom): RowChange {
  const key = `copy ${random.int(20)}`;
  if (random.chance(0.5)) return { kind: 'remove-copy', tableId: 2, key };
  const outputs = [{ objectType: 'u', objectId: key, data: `"${key}"`, buckets: ['copies[]'] }];
  return { kind: 'add-copy', tableId: 2, key, row: { outputs, lookups: [] } };
}
