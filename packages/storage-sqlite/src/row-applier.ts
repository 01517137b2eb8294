import { hash } from 'node:crypto';
import type { EvaluatedRow, LookupEntry, RowOutput } from '@sluice/model';
import { putDigest, removeChecksum } from '@sluice/protocol';
import { subkeyOf, type RowRef, type SegmentFlush } from '@sluice/storage';
import type { BucketIds } from './bucket-ids.ts';
import type { Discards } from './discards.ts';
import type { LookupEntries } from './lookup-entries.ts';
import type { ObjectTypes } from './object-types.ts';
import type { RowState, StoredLookup, StoredOutput } from './row-state.ts';

export interface RowApplierParts {
  readonly flush: SegmentFlush;
  readonly bucketIds: BucketIds;
  readonly types: ObjectTypes;
  readonly lookups: LookupEntries;
  readonly discards: Discards;
  readonly subkeySalt: string;
  /** Told of each lookup key with an entry that came or went. */
  readonly onLookup: (key: string) => void;
  /** Told how many ops of a bucket an op has made superfluous, itself included. */
  readonly onSuperseded: (bucketId: number, ops: number) => void;
}

const NO_OUTPUTS: readonly StoredOutput[] = [];
const NO_LOOKUPS: readonly StoredLookup[] = [];

/** Compares a row's new content with its state: what differs becomes ops and lookup entries. */
export class RowApplier {
  readonly #parts: RowApplierParts;

  constructor(parts: RowApplierParts) {
    this.#parts = parts;
  }

  /** The row's next outputs and lookups; the arrays of `before` where nothing changed. */
  put(
    ref: RowRef,
    before: RowState | undefined,
    row: EvaluatedRow,
  ): Pick<RowState, 'outputs' | 'lookups'> {
    return {
      outputs: this.#outputs(ref, before?.outputs ?? NO_OUTPUTS, row.outputs),
      lookups: this.#lookups(before?.lookups ?? NO_LOOKUPS, row.lookups),
    };
  }

  /** The row is gone: a REMOVE for each bucket that holds it. */
  remove(ref: RowRef, before: RowState): void {
    this.#removeMissing(ref, before.outputs, NO_OUTPUTS);
    for (const lookup of before.lookups) if (!this.#isGone(lookup)) this.#close(lookup);
  }

  #outputs(
    ref: RowRef,
    before: readonly StoredOutput[],
    outputs: readonly RowOutput[],
  ): readonly StoredOutput[] {
    let same = before.length === outputs.length;
    const after: StoredOutput[] = [];
    for (const output of withoutDoubles(outputs)) {
      const stored = this.#putOutput(ref, before, output);
      same &&= stored === before[after.length];
      after.push(stored);
    }
    if (same) return before;
    this.#removeMissing(ref, before, after);
    return after;
  }

  /** Gives the stored output itself when content and buckets are what they were. */
  #putOutput(ref: RowRef, before: readonly StoredOutput[], output: RowOutput): StoredOutput {
    const { flush, types, bucketIds, subkeySalt, onSuperseded } = this.#parts;
    const { objectType, objectId, data } = output;
    const typeId = types.idOf(objectType);
    const { checksum, contentHash } = putDigest(objectType, objectId, data);
    const ids: number[] = [];
    for (const name of output.buckets) ids.push(bucketIds.idOf(name));

    const old = before.find((one) => one.typeId === typeId && one.objectId === objectId);
    if (old?.contentHash === contentHash && sameNumbers(old.bucketIds, ids)) return old;
    const next = { typeId, objectId, contentHash, bucketIds: ids };
    let tail;
    for (const id of ids) {
      const held = old === undefined ? undefined : holderOf(before, next, id);
      if (held?.contentHash === contentHash) continue;
      if (tail === undefined) {
        const subkey = subkeyOf(ref.tableId, ref.key, objectId, subkeySalt);
        tail = flush.put(objectType, objectId, subkey, checksum, data);
      }
      flush.add(id, tail);
      if (held) onSuperseded(id, 1);
    }
    return next;
  }

  #removeMissing(
    ref: RowRef,
    before: readonly StoredOutput[],
    after: readonly StoredOutput[],
  ): void {
    const { flush, types, subkeySalt, discards, onSuperseded } = this.#parts;
    for (const old of before) {
      let tail;
      for (const id of old.bucketIds) {
        if (holderOf(after, old, id) || discards.isBucketGone(id)) continue;
        if (tail === undefined) {
          const subkey = subkeyOf(ref.tableId, ref.key, old.objectId, subkeySalt);
          const type = types.nameOf(old.typeId);
          tail = flush.remove(type, old.objectId, subkey, removeChecksum(subkey));
        }
        flush.add(id, tail);
        onSuperseded(id, 2);
      }
    }
  }

  #lookups(
    before: readonly StoredLookup[],
    entries: readonly LookupEntry[],
  ): readonly StoredLookup[] {
    if (before.length === 0 && entries.length === 0) return before;
    const left = before.filter((lookup) => !this.#isGone(lookup));
    const after: StoredLookup[] = [];
    const missing: (readonly [entry: LookupEntry, valuesHash: string])[] = [];
    for (const entry of entries) {
      const valuesHash = hashOf(entry.values);
      const at = left.findIndex((one) => one.key === entry.key && one.valuesHash === valuesHash);
      if (at < 0) missing.push([entry, valuesHash]);
      else after.push(...left.splice(at, 1));
    }
    if (after.length === before.length && missing.length === 0) return before;
    for (const lookup of left) this.#close(lookup);
    for (const [entry, valuesHash] of missing) after.push(this.#open(entry, valuesHash));
    return after;
  }

  #isGone({ key, fromOp }: StoredLookup): boolean {
    return this.#parts.discards.isLookupGone(key, fromOp);
  }

  #open({ key, values }: LookupEntry, valuesHash: string): StoredLookup {
    const { flush, lookups, onLookup } = this.#parts;
    const fromOp = Number(flush.reserve());
    lookups.add(key, fromOp, values);
    onLookup(key);
    return { key, valuesHash, fromOp };
  }

  #close({ key, fromOp }: StoredLookup): void {
    const { flush, lookups, onLookup } = this.#parts;
    lookups.close(key, fromOp, Number(flush.reserve()));
    onLookup(key);
  }
}

/** The output of the same client row that is in the bucket. */
function holderOf(
  outputs: readonly StoredOutput[],
  row: Pick<StoredOutput, 'typeId' | 'objectId'>,
  bucketId: number,
): StoredOutput | undefined {
  return outputs.find(
    (one) =>
      one.typeId === row.typeId &&
      one.objectId === row.objectId &&
      one.bucketIds.includes(bucketId),
  );
}

/** Where two outputs claim the same client row in the same bucket, the later one has it. */
function withoutDoubles(outputs: readonly RowOutput[]): readonly RowOutput[] {
  if (outputs.length < 2) return outputs;
  return outputs.map((output, index) => {
    const later = outputs
      .slice(index + 1)
      .filter((one) => one.objectType === output.objectType && one.objectId === output.objectId);
    if (later.length === 0) return output;
    const taken = new Set(later.flatMap((one) => one.buckets));
    return { ...output, buckets: output.buckets.filter((name) => !taken.has(name)) };
  });
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** Eight characters U+0000 to U+00FF. */
function hashOf(text: string): string {
  return hash('sha256', text, 'binary').substring(0, 8);
}
