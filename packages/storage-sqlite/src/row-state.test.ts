import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { readRowState, TOMBSTONE, writeRowState, type RowState } from './row-state.ts';

const hashes = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const ids = fc.integer({ min: 0, max: 2 ** 40 });
const states: fc.Arbitrary<RowState> = fc.record({
  outputs: fc.array(
    fc.record({
      typeId: fc.nat(1000),
      objectId: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('the key')),
      contentHash: hashes,
      bucketIds: fc.array(ids),
    }),
  ),
  lookups: fc.array(
    fc.record({
      key: fc.string({ unit: 'grapheme' }),
      valuesHash: hashes,
      fromOp: fc.maxSafeNat(),
    }),
  ),
  count: fc.integer(),
  tombstone: fc.constant(false),
  hasCopy: fc.boolean(),
});

function roundTrip(state: RowState): RowState {
  const writer = new ByteWriter(4);
  writer.varint(1);
  const start = writer.length;
  writeRowState(writer, state, 'the key');
  return readRowState(writer.from(start), 'the key');
}

describe('row state', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(roundTrip(state)).toEqual(state);
      }),
    );
  });

  it('writes a tombstone as the byte that the index of tombstones looks for', () => {
    const writer = new ByteWriter();
    writeRowState(writer, TOMBSTONE, 'k');
    expect([...writer.from(0)]).toEqual([1]);
    expect(roundTrip(TOMBSTONE)).toEqual(TOMBSTONE);
  });

  it('takes 15 bytes for a row in two buckets whose object id is its key', () => {
    const writer = new ByteWriter();
    const output = { typeId: 1, objectId: '42', contentHash: 'abcdefgh', bucketIds: [7, 300] };
    const state = { outputs: [output], lookups: [], count: 1, tombstone: false, hasCopy: false };
    writeRowState(writer, state, '42');
    expect(writer.length).toBe(15);
  });
});
