import type { Logger } from '@sluice/base';
import { matchesPattern } from '@sluice/model';
import type { ChangeEvent, SourceTable } from '@sluice/source';
import type { StoredTable } from '@sluice/storage';
import type { BucketPrefixes, EvaluationError, RowEvaluator, SyncPlan } from '@sluice/sync-config';
import { ReplicatedTable } from './replicated-table.ts';
import { isSameTable, newTableState, parseTableState } from './table-state.ts';

/** What adopting a table definition did. */
export type Adoption =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'kept'; readonly table: ReplicatedTable }
  /** Renamed to what the sync config does not read. */
  | { readonly kind: 'gone'; readonly table: ReplicatedTable }
  | {
      readonly kind: 'added';
      readonly table: ReplicatedTable;
      /** The table that stood for this relation before; its rows must be removed. */
      readonly replaced: ReplicatedTable | undefined;
    };

/** The replicated tables of one generation, by relation. */
export class TableRegistry {
  readonly #plan: SyncPlan;
  readonly #prefixes: BucketPrefixes;
  readonly #logger: Logger;
  readonly #byRelation = new Map<string, ReplicatedTable>();
  readonly #errorCounts = new Map<string, number>();
  #nextId = 1;

  constructor(options: {
    readonly plan: SyncPlan;
    readonly prefixes: BucketPrefixes;
    readonly logger: Logger;
  }) {
    this.#plan = options.plan;
    this.#prefixes = options.prefixes;
    this.#logger = options.logger;
  }

  /**
   * Takes up the tables of an earlier run. Returns the ids of those that exist no longer, or not in
   * the same form; their rows must be removed.
   */
  restore(stored: readonly StoredTable[], found: readonly SourceTable[]): number[] {
    const obsolete: number[] = [];
    for (const entry of stored) {
      this.#nextId = Math.max(this.#nextId, entry.id + 1);
      const state = parseTableState(entry);
      const source = found.find((table) => isSameTable(state, table));
      if (source === undefined || !this.wants(source)) obsolete.push(entry.id);
      else this.#add(entry.id, source, state);
    }
    return obsolete;
  }

  /** Whether the sync config reads this table. */
  wants(table: SourceTable): boolean {
    return this.#plan.tables.some((pattern) => matchesPattern(pattern, table));
  }

  adopt(source: SourceTable): Adoption {
    const known = this.#byRelation.get(source.relationId);
    if (known !== undefined && isSameTable(known.state, source)) {
      if (known.source !== source) known.redefine(source, this.#evaluator(source));
      return { kind: 'kept', table: known };
    }
    if (!this.wants(source)) {
      return known === undefined ? { kind: 'ignored' } : { kind: 'gone', table: known };
    }
    if (known !== undefined) this.remove(known);
    const table = this.#add(this.#nextId, source, newTableState(source));
    return { kind: 'added', table, replaced: known };
  }

  /** Forgets a table; rows of its snapshot still under way become stale. */
  remove(table: ReplicatedTable): void {
    table.attempt += 1;
    if (this.#byRelation.get(table.source.relationId) === table) {
      this.#byRelation.delete(table.source.relationId);
    }
  }

  get(relationId: string): ReplicatedTable | undefined {
    return this.#byRelation.get(relationId);
  }

  /** Updates of tables with a key, each with its table, that may have left values out. */
  *updatesThatMayOmit(
    events: readonly ChangeEvent[],
  ): Generator<readonly [ReplicatedTable, ChangeEvent]> {
    for (const event of events) {
      if (event.kind !== 'update' || !event.table.mayOmitValues) continue;
      const table = this.#byRelation.get(event.table.relationId);
      if (table !== undefined && !table.isKeyless) yield [table, event];
    }
  }

  all(): readonly ReplicatedTable[] {
    return [...this.#byRelation.values()];
  }

  get snapshotsDone(): boolean {
    for (const table of this.#byRelation.values()) if (!table.snapshotDone) return false;
    return true;
  }

  #add(id: number, source: SourceTable, state: ReturnType<typeof newTableState>): ReplicatedTable {
    const table = new ReplicatedTable({
      id,
      source,
      state,
      evaluator: this.#evaluator(source),
      onError: (error) => this.#reportError(source, error),
    });
    this.#byRelation.set(source.relationId, table);
    this.#nextId = Math.max(this.#nextId, id + 1);
    if (source.identity === 'nothing' || table.isKeyless) {
      this.#logger.warn('source_table_no_identity', {
        code: 'SOURCE_TABLE_NO_IDENTITY',
        table: `${source.schema}.${source.name}`,
        identity: source.identity,
      });
    }
    return table;
  }

  #evaluator(source: SourceTable): RowEvaluator | undefined {
    return this.#plan.rowEvaluator(source, this.#prefixes);
  }

  /** Logs the 1st, 10th, 100th ... failure of the same kind: one bad column must not flood the log. */
  #reportError(source: SourceTable, error: EvaluationError): void {
    const key = `${source.schema}.${source.name}/${error.definition}/${error.message}`;
    const count = (this.#errorCounts.get(key) ?? 0) + 1;
    if (this.#errorCounts.size < MAX_ERROR_KINDS || count > 1) this.#errorCounts.set(key, count);
    if (!/^10*$/.test(String(count))) return;
    this.#logger.warn('replication_row_not_evaluated', {
      table: `${source.schema}.${source.name}`,
      definition: error.definition,
      message: error.message,
      count,
    });
  }
}

const MAX_ERROR_KINDS = 1000;
