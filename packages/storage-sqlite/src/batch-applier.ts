import { unreachable } from '@sluice/base';
import {
  SegmentFlush,
  type AddCopy,
  type DeleteRow,
  type PutRow,
  type RaiseNumber,
  type RemoveCopy,
  type RowChange,
} from '@sluice/storage';
import { BatchDelta } from './batch-delta.ts';
import { BucketIds } from './bucket-ids.ts';
import type { NamedBucket } from './bucket-removal.ts';
import type { Database } from './database.ts';
import type { Discards } from './discards.ts';
import { LookupEntries } from './lookup-entries.ts';
import { ObjectTypes } from './object-types.ts';
import { RaisedNumbers } from './raised-numbers.ts';
import { RowApplier } from './row-applier.ts';
import { RowCopies } from './row-copies.ts';
import { ROW_STATE_LOG_LIMITS, type RowStateLogLimits } from './row-state-log.ts';
import { TOMBSTONE, type RowState } from './row-state.ts';
import { RowStates, type RowEntry } from './row-states.ts';
import { SegmentRows } from './segment-rows.ts';
import { TableRows } from './table-rows.ts';

type ChangeOfRow = PutRow | DeleteRow | AddCopy | RemoveCopy;
/** What can be applied in any number together. */
type WindowChange = ChangeOfRow | RaiseNumber;

/** Changes whose row states are read and written together. */
const WINDOW_CHANGES = 4096;
/** Ops collected in memory before they are written as segments in the middle of a batch. */
const MAX_FLUSH_BYTES = 24 << 20;

const NO_ROW: Pick<RowState, 'outputs' | 'lookups'> = { outputs: [], lookups: [] };

export interface BatchResult {
  readonly lastOp: number;
  readonly lastBucketId: number;
  readonly delta: BatchDelta;
}

export interface BatchApplierParts {
  readonly db: Database;
  readonly generationId: number;
  readonly subkeySalt: string;
  readonly discards: Discards;
  /** Told of each bucket that got a segment. */
  readonly onAppend: (bucketId: number) => void;
  readonly rowStateLog?: RowStateLogLimits | undefined;
}

/**
 * Applies the row changes of a batch inside the caller's transaction: reads row states, decides
 * with `RowApplier` what changed, writes states, lookups and segments.
 */
export class BatchApplier {
  readonly #flush = new SegmentFlush(1n);
  readonly #bucketIds: BucketIds;
  readonly #types: ObjectTypes;
  readonly #states: RowStates;
  readonly #copies: RowCopies;
  readonly #tableRows: TableRows;
  readonly #segments: SegmentRows;
  readonly #rows: RowApplier;
  readonly #numbers: RaisedNumbers;
  readonly #onAppend: (bucketId: number) => void;
  readonly #superseded = new Map<number, number>();
  #delta = new BatchDelta();

  constructor(parts: BatchApplierParts) {
    const { db, generationId, subkeySalt, discards } = parts;
    this.#bucketIds = new BucketIds(db, generationId);
    this.#types = new ObjectTypes(db, generationId);
    const limits = parts.rowStateLog ?? ROW_STATE_LOG_LIMITS;
    this.#states = new RowStates(db, generationId, limits);
    this.#copies = new RowCopies(db, generationId);
    this.#tableRows = new TableRows(db, generationId);
    this.#segments = new SegmentRows(db);
    this.#onAppend = parts.onAppend;
    const shared = {
      flush: this.#flush,
      lookups: new LookupEntries(db, generationId),
      onLookup: (key: string) => this.#delta.addLookup(key),
    };
    this.#numbers = new RaisedNumbers({ ...shared, db, generationId });
    this.#rows = new RowApplier({
      ...shared,
      bucketIds: this.#bucketIds,
      types: this.#types,
      discards,
      subkeySalt,
      onSuperseded: (bucketId, ops) => {
        this.#superseded.set(bucketId, (this.#superseded.get(bucketId) ?? 0) + ops);
      },
    });
  }

  /** Op ids and bucket ids continue after the last ones given out in the whole storage. */
  apply(changes: readonly RowChange[], lastOp: number, lastBucketId: number): BatchResult {
    this.#delta = new BatchDelta();
    this.#flush.reset(BigInt(lastOp + 1));
    this.#bucketIds.lastId = lastBucketId;
    for (let from = 0; from < changes.length;) from = this.#step(changes, from);
    this.#writeSegments();
    this.#states.upkeep();
    return {
      lastOp: Number(this.#flush.nextOpId) - 1,
      lastBucketId: this.#bucketIds.lastId,
      delta: this.#delta,
    };
  }

  /** Their names may come back as other buckets. */
  forgetBuckets(buckets: readonly NamedBucket[]): void {
    this.#bucketIds.forgetSome(buckets);
  }

  /** See `RowStates.settleStep`. */
  settleStep(tableIds: readonly number[]): boolean {
    return this.#states.settleStep(tableIds);
  }

  /** After the transaction was rolled back. */
  reset(): void {
    this.#states.reload();
    this.#bucketIds.forget();
    this.#types.reload();
    this.#superseded.clear();
    this.#flush.reset(1n);
  }

  /** Applies a window of changes from `from` on; gives where the next one begins. */
  #step(changes: readonly RowChange[], from: number): number {
    const first = changes[from];
    if (first?.kind === 'truncate' || first?.kind === 'drop-tombstones') {
      this.#states.settle(first.tableId);
      if (first.kind === 'truncate') this.#truncate(first.tableId);
      else this.#tableRows.dropTombstones(first.tableId);
      return from + 1;
    }
    const window: WindowChange[] = [];
    for (let at = from; at < changes.length && window.length < WINDOW_CHANGES; at++) {
      const change = changes[at];
      if (change === undefined || change.kind === 'truncate') break;
      if (change.kind === 'drop-tombstones') break;
      window.push(change);
    }
    this.#applyWindow(window);
    this.#writeSegmentsIfMany();
    return from + window.length;
  }

  #applyWindow(window: readonly WindowChange[]): void {
    const tables = new Map<number, Map<string, RowEntry>>();
    const entries = window.map((change) =>
      change.kind === 'raise' ? undefined : entryOf(tables, change),
    );
    for (const [tableId, rows] of tables) this.#states.load(tableId, rows);
    window.forEach((change, index) => {
      if (change.kind === 'raise') this.#numbers.raise(change);
      else this.#applyChange(change, entries[index] as RowEntry);
    });
    for (const rows of tables.values()) this.#states.store([...rows.values()]);
  }

  #applyChange(change: ChangeOfRow, entry: RowEntry): void {
    switch (change.kind) {
      case 'put':
        if (change.ifAbsent !== true || entry.state === undefined) this.#put(change, entry);
        return;
      case 'delete':
        this.#delete(change, entry);
        return;
      case 'add-copy':
        this.#count(change, entry, 1);
        return;
      case 'remove-copy':
        this.#count(change, entry, -1);
        return;
      default:
        unreachable(change);
    }
  }

  #put(change: PutRow, entry: RowEntry): void {
    const before = entry.state;
    const { outputs, lookups } = this.#rows.put(change, before, change.row);
    const hasCopy = change.copy !== undefined;
    if (change.copy) this.#copies.set(change.tableId, change.key, change.copy);
    else if (before?.hasCopy) this.#copies.delete(change.tableId, change.key);
    const isSame =
      before?.outputs === outputs &&
      before.lookups === lookups &&
      before.hasCopy === hasCopy &&
      before.count === 1 &&
      !before.tombstone;
    if (!isSame) setState(entry, { outputs, lookups, count: 1, tombstone: false, hasCopy });
  }

  #delete(change: DeleteRow, entry: RowEntry): void {
    const before = entry.state;
    if (before?.tombstone && change.tombstone) return;
    if (before) {
      this.#rows.remove(change, before);
      if (before.hasCopy) this.#copies.delete(change.tableId, change.key);
    }
    if (before || change.tombstone) setState(entry, change.tombstone ? TOMBSTONE : undefined);
  }

  /** One equal row more or less; the row is there while the count is positive. */
  #count(change: AddCopy | RemoveCopy, entry: RowEntry, step: 1 | -1): void {
    const before = entry.state;
    const count = (before === undefined || before.tombstone ? 0 : before.count) + step;
    let content: Pick<RowState, 'outputs' | 'lookups'> = before ?? NO_ROW;
    if (change.kind === 'add-copy' && count === 1) {
      content = this.#rows.put(change, before, change.row);
    }
    if (count === 0 && before) {
      this.#rows.remove(change, before);
      content = NO_ROW;
    }
    const { outputs, lookups } = content;
    const next = { outputs, lookups, count, tombstone: false, hasCopy: false };
    setState(entry, count === 0 ? undefined : next);
  }

  #truncate(tableId: number): void {
    for (const rows of this.#tableRows.takeAll(tableId)) {
      for (const [key, state] of rows) {
        if (!state.tombstone) this.#rows.remove({ tableId, key }, state);
      }
      this.#writeSegmentsIfMany();
    }
  }

  #writeSegmentsIfMany(): void {
    if (this.#flush.byteLength >= MAX_FLUSH_BYTES) this.#writeSegments();
  }

  #writeSegments(): void {
    for (const segment of this.#flush.segments()) {
      const bucketId = segment.bucket;
      const supersededCount = this.#superseded.get(bucketId) ?? 0;
      this.#superseded.delete(bucketId);
      this.#segments.insert({ bucketId, epoch: 0, supersededCount }, segment);
      this.#delta.addBucket(bucketId);
      this.#onAppend(bucketId);
    }
    this.#flush.reset(this.#flush.nextOpId);
  }
}

function setState(entry: RowEntry, state: RowState | undefined): void {
  entry.state = state;
  entry.isDirty = true;
}

/** The window's entry of the row, made at its first change. */
function entryOf(tables: Map<number, Map<string, RowEntry>>, change: ChangeOfRow): RowEntry {
  let rows = tables.get(change.tableId);
  if (rows === undefined) tables.set(change.tableId, (rows = new Map<string, RowEntry>()));
  let entry = rows.get(change.key);
  if (entry === undefined) {
    entry = {
      tableId: change.tableId,
      key: change.key,
      isInOrder: change.kind === 'put' && change.ifAbsent === true,
      state: undefined,
      isStored: false,
      isLogged: false,
      isDirty: false,
    };
    rows.set(change.key, entry);
  }
  return entry;
}
