import { ByteReader, type ByteWriter } from './byte-writer.ts';

/** What storage remembers of one source row. */
export interface RowState {
  readonly outputs: readonly StoredOutput[];
  readonly lookups: readonly StoredLookup[];
  /** How many equal rows there are; 1 except in tables without a key. */
  readonly count: number;
  /** Deleted while the table's snapshot was running. */
  readonly tombstone: boolean;
  /** Whether `row_copies` has the row's own values. */
  readonly hasCopy: boolean;
}

/** One output of the row, and the buckets that hold it. */
export interface StoredOutput {
  readonly typeId: number;
  readonly objectId: string;
  /** Eight characters U+0000 to U+00FF (protocol, `putDigest`). */
  readonly contentHash: string;
  readonly bucketIds: readonly number[];
}

/** An open entry in `lookups`; its values are represented by a hash. */
export interface StoredLookup {
  readonly key: string;
  /** Eight characters U+0000 to U+00FF. */
  readonly valuesHash: string;
  readonly fromOp: number;
}

const TOMBSTONE_FLAG = 1;
const COPY_FLAG = 2;
const COUNT_FLAG = 4;
const LOOKUPS_FLAG = 8;
const HASH_BYTES = 8;

const NO_OUTPUTS: readonly StoredOutput[] = [];
const NO_LOOKUPS: readonly StoredLookup[] = [];

export const TOMBSTONE: RowState = {
  outputs: NO_OUTPUTS,
  lookups: NO_LOOKUPS,
  count: 1,
  tombstone: true,
  hasCopy: false,
};

/**
 * Appends the binary form, 15 to 60 bytes for a usual row:
 *
 *     flags          1 tombstone, 2 copy, 4 count, 8 lookups
 *     [count]        zigzag
 *     outputs        each: type * 2 + (object id is the row key ? 1 : 0), [object id], 8 bytes
 *                    content hash, number of buckets, bucket ids
 *     [lookups]      each: key, 8 bytes hash of the values, op id
 *
 * All numbers are varints. A tombstone is the single byte 1, which an index relies on.
 */
export function writeRowState(target: ByteWriter, state: RowState, key: string): void {
  const flags =
    (state.tombstone ? TOMBSTONE_FLAG : 0) |
    (state.hasCopy ? COPY_FLAG : 0) |
    (state.count === 1 ? 0 : COUNT_FLAG) |
    (state.lookups.length === 0 ? 0 : LOOKUPS_FLAG);
  target.varint(flags);
  if (state.tombstone) return;
  if (state.count !== 1) target.varint(state.count < 0 ? -state.count * 2 - 1 : state.count * 2);
  target.varint(state.outputs.length);
  for (const output of state.outputs) writeOutput(target, output, key);
  if (state.lookups.length === 0) return;
  target.varint(state.lookups.length);
  for (const lookup of state.lookups) {
    target.text(lookup.key);
    target.latin1(lookup.valuesHash);
    target.varint(lookup.fromOp);
  }
}

function writeOutput(target: ByteWriter, output: StoredOutput, key: string): void {
  const idIsKey = output.objectId === key;
  target.varint(output.typeId * 2 + (idIsKey ? 1 : 0));
  if (!idIsKey) target.text(output.objectId);
  target.latin1(output.contentHash);
  target.varint(output.bucketIds.length);
  for (const bucketId of output.bucketIds) target.varint(bucketId);
}

export function readRowState(bytes: Buffer, key: string): RowState {
  const source = new ByteReader(bytes);
  const flags = source.varint();
  if (flags & TOMBSTONE_FLAG) return TOMBSTONE;
  const count = flags & COUNT_FLAG ? unzigzag(source.varint()) : 1;
  const outputs: StoredOutput[] = [];
  for (let left = source.varint(); left > 0; left--) outputs.push(readOutput(source, key));
  return {
    outputs,
    lookups: flags & LOOKUPS_FLAG ? readLookups(source) : NO_LOOKUPS,
    count,
    tombstone: false,
    hasCopy: (flags & COPY_FLAG) !== 0,
  };
}

function readOutput(source: ByteReader, key: string): StoredOutput {
  const type = source.varint();
  const objectId = type % 2 === 1 ? key : source.text();
  const contentHash = source.latin1(HASH_BYTES);
  const bucketIds: number[] = [];
  for (let left = source.varint(); left > 0; left--) bucketIds.push(source.varint());
  return { typeId: Math.floor(type / 2), objectId, contentHash, bucketIds };
}

function readLookups(source: ByteReader): readonly StoredLookup[] {
  const lookups: StoredLookup[] = [];
  for (let left = source.varint(); left > 0; left--) {
    const key = source.text();
    const valuesHash = source.latin1(HASH_BYTES);
    lookups.push({ key, valuesHash, fromOp: source.varint() });
  }
  return lookups;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
