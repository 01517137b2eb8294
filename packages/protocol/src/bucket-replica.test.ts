import { expect, test } from 'vitest';
import { BucketReplica } from './bucket-replica.ts';
import type { Op } from './op.ts';

const todo = (id: string, subkey: string) => ({ objectType: 'todos', objectId: id, subkey });

/** The bucket of spec 11.4: original, after the MOVE pass, after the CLEAR pass. */
const ORIGINAL: readonly Op[] = [
  { kind: 'PUT', opId: 10n, ...todo('A', 'a'), checksum: 4021247086, data: 'a1' },
  { kind: 'PUT', opId: 11n, ...todo('B', 'b'), checksum: 803959334, data: 'b1' },
  { kind: 'PUT', opId: 12n, ...todo('A', 'a'), checksum: 2576679518, data: 'a2' },
  { kind: 'REMOVE', opId: 13n, ...todo('B', 'b'), checksum: 3425507020 },
  { kind: 'PUT', opId: 14n, ...todo('C', 'c'), checksum: 2297328903, data: 'c1' },
];
const MOVED: readonly Op[] = [
  { kind: 'MOVE', opId: 10n, checksum: 4021247086 },
  { kind: 'MOVE', opId: 11n, checksum: 803959334 },
  ...ORIGINAL.slice(2),
];
const CLEARED: readonly Op[] = [
  { kind: 'CLEAR', opId: 11n, checksum: 530239124 },
  ...ORIGINAL.slice(2),
];

test('full, moved and cleared histories end alike from every position (spec 11.4)', () => {
  for (const later of [ORIGINAL, MOVED, CLEARED]) {
    for (const position of [0n, 10n, 11n]) {
      const replica = new BucketReplica().apply(ORIGINAL.filter((op) => op.opId <= position));
      replica.apply(later.filter((op) => op.opId > position));
      expect(replica.addChecksum).toBe(3955746144);
      expect(replica.opChecksum).toBe(579041125);
      expect(replica.checksum).toBe(239819973);
      expect(replica.rows().map((row) => row.data)).toEqual(['a2', 'c1']);
      expect(replica.lastOpId).toBe(14n);
    }
  }
});

test('a REMOVE moves the checksum of its row to the other sum (spec 11.5)', () => {
  const replica = new BucketReplica().apply([
    { kind: 'PUT', opId: 2n, ...todo('T1', '1'), checksum: 3603514498, data: '{}' },
    { kind: 'PUT', opId: 3n, ...todo('T2', '2'), checksum: 3247161619, data: '{}' },
  ]);
  expect([replica.addChecksum, replica.opChecksum]).toEqual([0, 2555708821]);
  replica.apply([{ kind: 'REMOVE', opId: 4n, ...todo('T1', '1'), checksum: 1127901055 }]);
  expect([replica.addChecksum, replica.opChecksum]).toEqual([436448257, 3247161619]);
});

test('of several source rows behind one client row the newest shows', () => {
  const put = (opId: bigint, subkey: string): Op => ({
    kind: 'PUT',
    opId,
    ...todo('A', subkey),
    checksum: 1,
    data: `from ${subkey}`,
  });
  const replica = new BucketReplica().apply([put(1n, 'x'), put(2n, 'y')]);
  expect(replica.rows().map((row) => row.data)).toEqual(['from y']);
  const copy = replica
    .clone()
    .apply([{ kind: 'REMOVE', opId: 3n, ...todo('A', 'y'), checksum: 1 }]);
  expect(copy.rows().map((row) => row.data)).toEqual(['from x']);
  expect(replica.puts()).toHaveLength(2);
});
