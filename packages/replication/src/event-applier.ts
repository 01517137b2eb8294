import { toAppError } from '@sluice/base';
import type { SqliteRow } from '@sluice/model';
import type { ChangeEvent, ChangeSource, SourceReplication, SourceTable } from '@sluice/source';
import type { GenerationWriter } from '@sluice/storage';
import { copyKey } from './change-buffer.ts';
import type { PendingWork } from './pending-work.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import { isTableChanged } from './snapshot-feed.ts';
import type { TableChanges } from './table-changes.ts';
import type { TableRegistry } from './table-registry.ts';

export interface EventApplierOptions {
  readonly registry: TableRegistry;
  readonly tables: TableChanges;
  readonly work: PendingWork;
  readonly source: Pick<ChangeSource, 'mark'>;
  readonly replication: Pick<SourceReplication, 'readRows'>;
  readonly writer: Pick<GenerationWriter, 'loadCopies'>;
  readonly batchBytes: () => number;
  /** Writes what is pending, also within a source transaction. */
  readonly flush: () => Promise<void>;
}

type Copies = ReadonlyMap<string, Uint8Array | undefined>;

/** Applies the events of the change log, each to the tables of all fills that read its relation. */
export class EventApplier {
  readonly #options: EventApplierOptions;
  #markSeen = false;

  constructor(options: EventApplierOptions) {
    this.#options = options;
  }

  /** Whether a position has passed since the last call that somebody may be waiting for. */
  get markSeen(): boolean {
    return this.#markSeen;
  }
  resetMark(): void {
    this.#markSeen = false;
  }

  async apply(events: readonly ChangeEvent[]): Promise<void> {
    const { work, tables, batchBytes, flush } = this.#options;
    const { buffer } = work;
    const copies = await this.#loadCopies(events);
    for (const event of events) {
      switch (event.kind) {
        case 'begin':
          buffer.begin(event.transactionId, event.commitPosition);
          break;
        case 'commit':
          buffer.commit(event.position, event.committedAtMs);
          tables.applyList();
          break;
        case 'idle':
          buffer.idle(event.position);
          if (event.marked === true) this.#markSeen = true;
          tables.applyList();
          break;
        case 'table':
          await this.reread(); // while the rows that wait for it are still laid out as the table
          tables.adopt(event.table);
          break;
        case 'truncate':
          if (!buffer.countChange()) break;
          for (const table of event.tables) tables.truncate(table);
          break;
        case 'insert':
        case 'update':
        case 'delete':
          if (!buffer.countChange()) break;
          for (const table of this.#tablesOf(event.table)) {
            if (table.opening !== undefined) await table.opening;
            buffer.apply(table, event, copies);
          }
          if (buffer.weight >= batchBytes()) await flush();
          break;
      }
    }
  }

  /** A row is laid out as its own definition says, whatever a list of tables has said since. */
  #tablesOf(source: SourceTable): readonly ReplicatedTable[] {
    const { registry, tables } = this.#options;
    const known = registry.getDefined(source);
    if (known !== undefined) return known;
    tables.adopt(source);
    return registry.get(source.relationId);
  }

  async #loadCopies(events: readonly ChangeEvent[]): Promise<Copies> {
    const { registry, work, writer } = this.#options;
    const copies = new Map<string, Uint8Array | undefined>();
    const refs = work.buffer.missingCopies(registry.updatesThatMayOmit(events));
    if (refs.length === 0) return copies;
    const loaded = await writer.loadCopies(refs);
    for (const [index, ref] of refs.entries()) {
      copies.set(copyKey(ref.tableId, ref.key), loaded[index]);
    }
    return copies;
  }

  /** Fetches rows that an update left incomplete and that were never stored whole. */
  async reread(): Promise<void> {
    const { work, source } = this.#options;
    for (const [table, rows] of work.buffer.takeIncomplete()) {
      if (table.isRemoved) continue;
      const fresh = await this.#rowsNow(table, rows);
      if (fresh === undefined) continue;
      for (const row of fresh.rows) work.buffer.applyReread(table, row);
      table.waitFor(fresh.position);
      work.markDirty(table);
      await source.mark();
    }
  }

  /**
   * Undefined when the table is no longer what it was: it is forgotten, and listed anew. A table that
   * cannot be read holds up nobody but the config that is filled: its snapshot is tried again.
   */
  async #rowsNow(table: ReplicatedTable, rows: readonly SqliteRow[]) {
    try {
      return await this.#options.replication.readRows(table.source, rows);
    } catch (error) {
      if (isTableChanged(error)) this.#options.tables.remove(table);
      else if (table.roles.has('serving')) throw error;
      else {
        this.#options.work.restartSnapshot(table);
        table.problem = toAppError(error);
      }
      return undefined;
    }
  }
}
