import { AppError, isJsonObject, parseExactJson, type JsonObject } from '@sluice/base';
import {
  BucketReplica,
  type CheckpointBucket,
  type CheckpointLine,
  type DataLine,
  type Line,
  type PutOp,
} from '@sluice/protocol';
import { changedColumns, type ColumnChange } from './row-difference.ts';

/** What there is to tell after a line. */
export type TailEvent =
  | {
      readonly kind: 'synced';
      readonly opId: bigint;
      readonly rowsByTable: ReadonlyMap<string, number>;
      readonly bucketCount: number;
    }
  | {
      readonly kind: 'change';
      readonly op: 'PUT' | 'REMOVE';
      readonly table: string;
      readonly id: string;
      /** For a row that was not there before. */
      readonly isNew: boolean;
      readonly columns: readonly ColumnChange[];
    }
  | {
      readonly kind: 'checkpoint';
      readonly opId: bigint;
      readonly writeCheckpoint: bigint | undefined;
      readonly changeCount: number;
    }
  | { readonly kind: 'buckets'; readonly buckets: readonly BucketSummary[] }
  | {
      readonly kind: 'mismatch';
      readonly bucket: string;
      readonly expected: number;
      readonly actual: number;
    }
  | { readonly kind: 'stream-error'; readonly stream: string; readonly message: string };

export interface BucketSummary {
  readonly bucket: string;
  readonly priority: number;
  readonly rowCount: number;
  readonly checksum: number;
}

/**
 * A client's view of the stream, as values only: lines go in, what changed for the user comes out.
 * Changes show when their checkpoint is complete and its checksums are right, as in an app.
 */
export class TailView {
  readonly #buckets = new Map<string, BucketReplica>();
  readonly #shown = new Map<string, RowName & { readonly data: JsonObject }>();
  readonly #touched = new Map<string, RowName>();
  #checkpoint: Map<string, CheckpointBucket> | undefined;
  #writeCheckpoint: bigint | undefined;
  #hasSynced = false;

  /** What to send as `buckets` when connecting again (spec/protocol.md 2.1). */
  positions(): { readonly name: string; readonly after: string }[] {
    return [...this.#buckets].map(([name, rows]) => ({ name, after: rows.lastOpId.toString() }));
  }

  apply(line: Line): readonly TailEvent[] {
    switch (line.kind) {
      case 'checkpoint':
        return this.#startCheckpoint(line);
      case 'checkpoint_diff': {
        const checkpoint = this.#current();
        for (const name of line.removedBuckets) checkpoint.delete(name);
        for (const bucket of line.updatedBuckets) checkpoint.set(bucket.bucket, bucket);
        this.#writeCheckpoint = line.writeCheckpoint;
        this.#dropUnlisted(checkpoint);
        return [];
      }
      case 'data':
        this.#applyData(line);
        return [];
      case 'partial_checkpoint_complete':
        return this.#mismatches((bucket) => bucket.priority <= line.priority);
      case 'checkpoint_complete': {
        const mismatches = this.#mismatches(() => true);
        return mismatches.length > 0 ? mismatches : this.#publish(line.lastOpId);
      }
      case 'token_expires_in':
        return [];
    }
  }

  #startCheckpoint(line: CheckpointLine): TailEvent[] {
    this.#checkpoint = new Map(line.buckets.map((bucket) => [bucket.bucket, bucket]));
    this.#writeCheckpoint = line.writeCheckpoint;
    this.#dropUnlisted(this.#checkpoint);
    return line.streams.flatMap(({ name, errors }) =>
      errors.map(({ message }): TailEvent => ({ kind: 'stream-error', stream: name, message })),
    );
  }

  #current(): Map<string, CheckpointBucket> {
    if (this.#checkpoint) return this.#checkpoint;
    throw new AppError('SYNC_LINE_INVALID', 'The service sent a line before any checkpoint');
  }

  #applyData({ bucket, ops }: DataLine): void {
    const replica = this.#buckets.get(bucket) ?? new BucketReplica();
    this.#buckets.set(bucket, replica);
    for (const op of ops) {
      if (op.kind === 'CLEAR') this.#touchAll(replica);
      else if (op.kind !== 'MOVE') this.#touch(op.objectType, op.objectId);
      replica.apply([op]);
    }
  }

  #dropUnlisted(checkpoint: ReadonlyMap<string, CheckpointBucket>): void {
    for (const name of this.#buckets.keys()) {
      if (!checkpoint.has(name)) this.#dropBucket(name);
    }
  }

  #dropBucket(name: string): void {
    const replica = this.#buckets.get(name);
    if (replica !== undefined) this.#touchAll(replica);
    this.#buckets.delete(name);
  }

  #touchAll(replica: BucketReplica): void {
    for (const put of replica.puts()) this.#touch(put.objectType, put.objectId);
  }

  #touch(table: string, id: string): void {
    this.#touched.set(rowKey(table, id), { table, id });
  }

  /** A wrong bucket is dropped, so that the next connection downloads it from the start. */
  #mismatches(counts: (bucket: CheckpointBucket) => boolean): TailEvent[] {
    const events: TailEvent[] = [];
    for (const bucket of this.#current().values()) {
      if (!counts(bucket)) continue;
      const expected = bucket.checksum >>> 0;
      const actual = this.#buckets.get(bucket.bucket)?.checksum ?? 0;
      if (actual === expected) continue;
      this.#dropBucket(bucket.bucket);
      events.push({ kind: 'mismatch', bucket: bucket.bucket, expected, actual });
    }
    return events;
  }

  #publish(opId: bigint): TailEvent[] {
    const changes = this.#takeChanges();
    const buckets: TailEvent = { kind: 'buckets', buckets: this.#summaries() };
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      const rowsByTable = new Map<string, number>();
      for (const { table } of this.#shown.values()) {
        rowsByTable.set(table, (rowsByTable.get(table) ?? 0) + 1);
      }
      const bucketCount = this.#current().size;
      return [...changes, { kind: 'synced', opId, rowsByTable, bucketCount }, buckets];
    }
    const writeCheckpoint = this.#writeCheckpoint;
    const changeCount = changes.length;
    return [...changes, { kind: 'checkpoint', opId, writeCheckpoint, changeCount }, buckets];
  }

  #takeChanges(): TailEvent[] {
    const newest = this.#newestRows();
    const events: TailEvent[] = [];
    for (const [key, { table, id }] of this.#touched) {
      const before = this.#shown.get(key)?.data;
      const row = newest.get(key);
      if (row === undefined) {
        this.#shown.delete(key);
        if (before === undefined) continue;
        events.push({ kind: 'change', op: 'REMOVE', table, id, isNew: false, columns: [] });
        continue;
      }
      const data = parsedRow(row.data);
      this.#shown.set(key, { table, id, data });
      const columns = changedColumns(before, data);
      if (before !== undefined && columns.length === 0) continue;
      events.push({ kind: 'change', op: 'PUT', table, id, isNew: before === undefined, columns });
    }
    this.#touched.clear();
    return events;
  }

  /** Of the touched rows; where several buckets hold a row, the newest operation wins. */
  #newestRows(): Map<string, PutOp> {
    const newest = new Map<string, PutOp>();
    if (this.#touched.size === 0) return newest;
    for (const replica of this.#buckets.values()) {
      for (const put of replica.puts()) {
        const key = rowKey(put.objectType, put.objectId);
        if (!this.#touched.has(key)) continue;
        const other = newest.get(key);
        if (other === undefined || other.opId < put.opId) newest.set(key, put);
      }
    }
    return newest;
  }

  #summaries(): BucketSummary[] {
    return [...this.#current().values()].map(({ bucket, priority, checksum }) => ({
      bucket,
      priority,
      rowCount: this.#buckets.get(bucket)?.puts().length ?? 0,
      checksum: checksum >>> 0,
    }));
  }
}

interface RowName {
  readonly table: string;
  readonly id: string;
}

function rowKey(table: string, id: string): string {
  return JSON.stringify([table, id]);
}

function parsedRow(data: string): JsonObject {
  const row: unknown = parseExactJson(data);
  if (isJsonObject(row)) return row;
  throw new AppError('SYNC_LINE_INVALID', 'The service sent a row that is no JSON object');
}
