import type { EvaluatedRow, OpId } from '@sluice/model';
import { type Op, putChecksum, removeChecksum } from '@sluice/protocol';
import {
  type PutRow,
  type RaiseNumber,
  type RowChange,
  type RowRef,
  subkeyOf,
} from '@sluice/storage';
import type { BucketOutput, GenerationContent, RowState } from './memory-data.ts';

const GONE: RowState = { count: 0, tombstone: false, copy: undefined, outputs: [], lookups: [] };
const NOTHING: EvaluatedRow = { outputs: [], lookups: [] };

/**
 * Applies row changes to a generation's content, one after the other. Slow and obvious: this is
 * what every other storage is compared with.
 */
export class ChangeApplier {
  readonly #content: GenerationContent;
  readonly #salt: string;
  #lastOpId: OpId;

  constructor(content: GenerationContent, salt: string, lastOpId: OpId) {
    this.#content = content;
    this.#salt = salt;
    this.#lastOpId = lastOpId;
  }

  get lastOpId(): OpId {
    return this.#lastOpId;
  }

  apply(change: RowChange): void {
    switch (change.kind) {
      case 'put':
        return this.#put(change);
      case 'delete':
        return this.#become(change, NOTHING, { ...GONE, tombstone: change.tombstone ?? false });
      case 'add-copy':
        return this.#count(change, 1, change.row);
      case 'remove-copy':
        return this.#count(change, -1, undefined);
      case 'truncate':
        return this.#truncate(change.tableId);
      case 'drop-tombstones':
        return this.#dropTombstones(change.tableId);
      case 'raise':
        return this.#raise(change);
    }
  }

  #put(change: PutRow): void {
    const known = this.#content.rows.has(rowName(change));
    if (change.ifAbsent && known) return;
    this.#become(change, change.row, { ...GONE, count: 1, copy: change.copy });
  }

  #count(ref: RowRef, by: number, row: EvaluatedRow | undefined): void {
    const state = this.#content.rows.get(rowName(ref)) ?? GONE;
    const count = state.count + by;
    // A removed copy leaves the others, which are equal to it, as they are.
    if (count > 0 && row === undefined) state.count = count;
    else this.#become(ref, count > 0 ? (row ?? NOTHING) : NOTHING, { ...GONE, count });
  }

  #truncate(tableId: number): void {
    for (const key of this.#keysOf(tableId)) this.#become({ tableId, key }, NOTHING, GONE);
  }

  #dropTombstones(tableId: number): void {
    for (const key of this.#keysOf(tableId)) {
      const name = rowName({ tableId, key });
      if (this.#content.rows.get(name)?.tombstone) this.#content.rows.delete(name);
    }
  }

  #keysOf(tableId: number): string[] {
    const prefix = `${tableId}/`;
    const names = [...this.#content.rows.keys()].filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length));
  }

  /** Makes the stored row equal to `row`, by the operations that takes. */
  #become(ref: RowRef, row: EvaluatedRow, rest: Omit<RowState, 'outputs' | 'lookups'>): void {
    const name = rowName(ref);
    const former = this.#content.rows.get(name) ?? GONE;
    const outputs = outputsByBucket(row);
    this.#removeVanished(ref, former.outputs, outputs);
    this.#putChanged(ref, former.outputs, outputs);
    this.#changeLookups(name, row);
    const isKnown = rest.count !== 0 || rest.tombstone;
    if (isKnown) this.#content.rows.set(name, { ...rest, outputs, lookups: row.lookups });
    else this.#content.rows.delete(name);
  }

  #removeVanished(ref: RowRef, before: readonly BucketOutput[], after: readonly BucketOutput[]) {
    for (const { bucket, objectType, objectId } of before) {
      const stays = after.some(
        (one) =>
          one.bucket === bucket && one.objectType === objectType && one.objectId === objectId,
      );
      if (stays) continue;
      const subkey = subkeyOf(ref.tableId, ref.key, objectId, this.#salt);
      const checksum = removeChecksum(subkey);
      this.#append(bucket, (opId) => ({
        kind: 'REMOVE',
        opId,
        objectType,
        objectId,
        subkey,
        checksum,
      }));
    }
  }

  #putChanged(ref: RowRef, before: readonly BucketOutput[], after: readonly BucketOutput[]) {
    for (const { bucket, objectType, objectId, data } of after) {
      const isUnchanged = before.some(
        (one) =>
          one.bucket === bucket &&
          one.objectType === objectType &&
          one.objectId === objectId &&
          one.data === data,
      );
      if (isUnchanged) continue;
      const subkey = subkeyOf(ref.tableId, ref.key, objectId, this.#salt);
      const checksum = putChecksum(objectType, objectId, data);
      this.#append(bucket, (opId) => ({
        kind: 'PUT',
        opId,
        objectType,
        objectId,
        subkey,
        checksum,
        data,
      }));
    }
  }

  #append(bucket: string, make: (opId: OpId) => Op): void {
    this.#lastOpId += 1n;
    const ops = this.#content.buckets.get(bucket) ?? [];
    ops.push({ op: make(this.#lastOpId), target: 0n });
    this.#content.buckets.set(bucket, ops);
    this.#content.changedBuckets.add(bucket);
  }

  #changeLookups(row: string, { lookups }: EvaluatedRow): void {
    const content = this.#content;
    const wanted = [...lookups];
    for (const entry of content.lookups) {
      if (entry.row !== row || entry.until !== undefined) continue;
      const at = wanted.findIndex((one) => one.key === entry.key && one.values === entry.values);
      if (at >= 0) {
        wanted.splice(at, 1);
        continue;
      }
      entry.until = this.#lastOpId += 1n;
      content.changedLookups.add(entry.key);
    }
    for (const { key, values } of wanted) {
      const from = (this.#lastOpId += 1n);
      content.lookups.push({ key, values, row, from, until: undefined });
      content.changedLookups.add(key);
    }
  }

  #raise({ key, value }: RaiseNumber): void {
    const content = this.#content;
    const held = content.lookups.find((entry) => entry.key === key && entry.until === undefined);
    if (held !== undefined && BigInt(held.values) >= value) return;
    const from = (this.#lastOpId += 1n);
    if (held !== undefined) held.until = from;
    content.lookups.push({ key, values: String(value), row: NO_ROW, from, until: undefined });
    content.changedLookups.add(key);
  }
}

/** Numbers are lookup entries of no row. */
const NO_ROW = '';

export function rowName({ tableId, key }: RowRef): string {
  return `${tableId}/${key}`;
}

/** Of outputs with the same bucket, type and id the last one counts. */
function outputsByBucket(row: EvaluatedRow): readonly BucketOutput[] {
  const outputs = new Map<string, BucketOutput>();
  for (const { objectType, objectId, data, buckets } of row.outputs) {
    for (const bucket of buckets) {
      const name = JSON.stringify([bucket, objectType, objectId]);
      outputs.set(name, { bucket, objectType, objectId, data });
    }
  }
  return [...outputs.values()];
}
