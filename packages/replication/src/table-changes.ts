import type { Logger } from '@sluice/base';
import type { SourceTable } from '@sluice/source';
import type { PendingWork } from './pending-work.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import type { TableList } from './table-lists.ts';
import type { TableRegistry } from './table-registry.ts';

/** Follows tables as they are created, altered, renamed, truncated and dropped, in every fill. */
export class TableChanges {
  readonly #registry: TableRegistry;
  readonly #work: PendingWork;
  readonly #logger: Logger;
  #list: TableList | undefined;

  constructor(registry: TableRegistry, work: PendingWork, logger: Logger) {
    this.#registry = registry;
    this.#work = work;
    this.#logger = logger;
  }

  adopt(source: SourceTable): void {
    const { added, removed } = this.#registry.adopt(source);
    for (const table of removed) this.#noteRemoved(table);
    for (const table of added) {
      this.#work.markDirty(table);
      this.#logger.info('replication_table_added', {
        table: nameOf(table),
        fill: table.state.fill,
      });
    }
  }

  /**
   * Adopts tables for fills that have come new. Where a relation is known already, its definition is
   * the one at the place in the change log that was reached, not the listed one.
   */
  adoptForNewFills(found: readonly SourceTable[]): void {
    for (const source of found) {
      this.adopt(this.#registry.sourceOf(source.relationId) ?? source);
    }
  }

  remove(table: ReplicatedTable): void {
    this.#registry.remove(table);
    this.#noteRemoved(table);
  }

  truncate(source: SourceTable): void {
    const { buffer } = this.#work;
    for (const table of this.#registry.get(source.relationId)) {
      if (table.snapshotDone && table.isInSnapshot(buffer.commitPosition)) continue;
      if (table.snapshotDone) buffer.push({ kind: 'truncate', tableId: table.id });
      else this.#work.restartSnapshot(table); // rows read before may still be under way
    }
  }

  /** Takes a list that counts once the stream has come to where it was made. */
  expect(list: TableList): void {
    this.#list = list;
    this.applyList();
  }

  /** A list counts from where the source stood when it was made: older changes come first. */
  applyList(): void {
    const list = this.#list;
    const { buffer } = this.#work;
    if (list === undefined || buffer.inTransaction || buffer.position < list.head) return;
    this.#list = undefined;
    if (list.patterns !== this.#registry.patterns) return;
    const found = new Set(list.found.map((table) => table.relationId));
    for (const table of this.#registry.all()) {
      if (!found.has(table.state.relationId)) this.remove(table);
    }
    for (const table of list.found) this.adopt(table);
  }

  #noteRemoved(table: ReplicatedTable): void {
    this.#work.dropState(table);
    this.#work.removeRows(table.id);
    this.#logger.info('replication_table_removed', {
      table: nameOf(table),
      fill: table.state.fill,
    });
  }
}

function nameOf({ source }: ReplicatedTable): string {
  return `${source.schema}.${source.name}`;
}
