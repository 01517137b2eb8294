import type { Logger } from '@sluice/base';
import type { SourcePosition, TablePattern } from '@sluice/model';
import type { ChangeEvent, SourceTable } from '@sluice/source';
import type { StoredTable } from '@sluice/storage';
import { EvaluationErrors } from './evaluation-errors.ts';
import { patternsOf, type ConfigRole, type Fill } from './fills.ts';
import { ReplicatedTable } from './replicated-table.ts';
import { isSameTable, newTableState, parseTableState, type TableState } from './table-state.ts';

/** What adopting a table definition did, over all fills. */
export interface Adoption {
  readonly added: readonly ReplicatedTable[];
  /**
   * Replaced by one that is added, or renamed to what the fill does not read: their rows must go,
   * with operations that tell clients.
   */
  readonly removed: readonly ReplicatedTable[];
}

/** What an earlier run left behind. */
export interface LeftBehind {
  /** Ids of tables that exist no longer, or not in the same form: their rows must be removed. */
  readonly obsolete: readonly number[];
  /** Ids of tables that no config needs through their fill: they are to be discarded. */
  readonly orphaned: readonly number[];
}

interface Relation {
  /** The definition that changes are laid out by now. */
  source: SourceTable;
  /** At most one of each fill. */
  tables: readonly ReplicatedTable[];
}

const NO_TABLES: readonly ReplicatedTable[] = [];

/** The replicated tables of one generation, by relation; of each relation one per fill that reads it. */
export class TableRegistry {
  readonly evaluationErrors: EvaluationErrors;
  readonly #logger: Logger;
  readonly #relations = new Map<string, Relation>();
  #fills: readonly Fill[] = [];
  #patterns: readonly TablePattern[] = [];
  /** Definitions that no fill reads, so that each of their changes is not looked at anew. */
  #unread = new WeakSet<SourceTable>();
  #nextId = 1;
  #version = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.evaluationErrors = new EvaluationErrors(logger);
  }

  /** Ids below were given out at some time. */
  get nextId(): number {
    return this.#nextId;
  }
  /** Tables of the source that some fill reads. Another array only when they are others. */
  get patterns(): readonly TablePattern[] {
    return this.#patterns;
  }
  /** Rises whenever a table comes, goes or is needed by others. */
  get version(): number {
    return this.#version;
  }

  /**
   * Takes up the tables of an earlier run; `nextId` is what it had got to, so that no id is ever
   * used twice.
   */
  restore(
    stored: readonly StoredTable[],
    found: readonly SourceTable[],
    nextId: number,
  ): LeftBehind {
    const [obsolete, orphaned]: [number[], number[]] = [[], []];
    this.#nextId = Math.max(this.#nextId, nextId);
    for (const entry of stored) {
      this.#nextId = Math.max(this.#nextId, entry.id + 1);
      const state = parseTableState(entry);
      const fill = this.#fills.find(({ number }) => number === state.fill);
      const source = found.find((table) => isSameTable(state, table));
      if (fill?.reads(state) !== true) orphaned.push(entry.id);
      else if (source === undefined) obsolete.push(entry.id);
      else this.#add(entry.id, source, state, fill);
    }
    return { obsolete, orphaned };
  }

  /** The tables that none of `fills` reads any more. */
  orphansOf(fills: readonly Fill[]): readonly ReplicatedTable[] {
    const byNumber = new Map(fills.map((fill) => [fill.number, fill]));
    return this.all().filter(({ state }) => byNumber.get(state.fill)?.reads(state) !== true);
  }

  /** Goes over to other fills. True when one of them is new, so that its tables are to be adopted. */
  setFills(fills: readonly Fill[]): boolean {
    const known = new Set(this.#fills.map(({ number }) => number));
    for (const orphan of this.orphansOf(fills)) this.remove(orphan);
    this.#fills = fills;
    this.#patterns = patternsOf(fills);
    this.#unread = new WeakSet();
    const byNumber = new Map(fills.map((fill) => [fill.number, fill]));
    for (const table of this.all()) {
      const fill = byNumber.get(table.state.fill);
      if (fill !== undefined) table.reassign(fill);
    }
    this.#version += 1;
    return fills.some(({ number }) => !known.has(number));
  }

  /** Whether some fill that reads this table does not have it, under its present name. */
  lacks(source: SourceTable): boolean {
    const relation = this.#relations.get(source.relationId);
    if (relation?.source.name !== source.name || relation.source.schema !== source.schema) {
      return true;
    }
    return this.#fills.some((fill) => fill.reads(source) && tableOf(relation, fill) === undefined);
  }

  adopt(source: SourceTable): Adoption {
    const added: ReplicatedTable[] = [];
    const removed: ReplicatedTable[] = [];
    for (const fill of this.#fills) {
      const relation = this.#relations.get(source.relationId);
      const known = relation && tableOf(relation, fill);
      if (known !== undefined && isSameTable(known.state, source)) {
        if (known.source !== source) known.redefine(source);
        continue;
      }
      if (known !== undefined) {
        this.remove(known);
        removed.push(known);
      }
      if (!fill.reads(source)) continue;
      const state = newTableState(source, fill.number);
      added.push(this.#add(this.#nextId, source, state, fill));
    }
    const relation = this.#relations.get(source.relationId);
    if (relation === undefined) this.#unread.add(source);
    else relation.source = source;
    return { added, removed };
  }

  /** Forgets a table; rows of its snapshot still under way become stale. */
  remove(table: ReplicatedTable): void {
    table.attempt += 1;
    table.isRemoved = true;
    const { relationId } = table.state;
    const relation = this.#relations.get(relationId);
    if (relation === undefined) return;
    relation.tables = relation.tables.filter((other) => other !== table);
    if (relation.tables.length === 0) this.#relations.delete(relationId);
    this.#version += 1;
  }

  /** The tables that a relation stands for, one per fill. */
  get(relationId: string): readonly ReplicatedTable[] {
    return this.#relations.get(relationId)?.tables ?? NO_TABLES;
  }

  /** As `get`, of a definition that changes are laid out by; undefined when it is not adopted. */
  getDefined(source: SourceTable): readonly ReplicatedTable[] | undefined {
    const relation = this.#relations.get(source.relationId);
    if (relation?.source === source) return relation.tables;
    return this.#unread.has(source) ? NO_TABLES : undefined;
  }

  /** The definition that a relation has at the place in the change log that was reached. */
  sourceOf(relationId: string): SourceTable | undefined {
    return this.#relations.get(relationId)?.source;
  }

  get relationCount(): number {
    return this.#relations.size;
  }

  /** Updates of tables with a key, each with its tables, that may have left values out. */
  *updatesThatMayOmit(
    events: readonly ChangeEvent[],
  ): Generator<readonly [ReplicatedTable, ChangeEvent]> {
    for (const event of events) {
      if (event.kind !== 'update' || !event.table.mayOmitValues) continue;
      for (const table of this.get(event.table.relationId)) {
        if (!table.isKeyless) yield [table, event];
      }
    }
  }

  all(): readonly ReplicatedTable[] {
    return [...this.#relations.values()].flatMap(({ tables }) => tables);
  }

  /** The tables whose snapshots are not complete. */
  unread(): readonly ReplicatedTable[] {
    const unread: ReplicatedTable[] = [];
    for (const { tables } of this.#relations.values()) {
      for (const table of tables) if (!table.snapshotDone) unread.push(table);
    }
    return unread;
  }

  /** Whether all that the config needs has been read, and what was read lies before `position`. */
  isComplete(role: ConfigRole, position: SourcePosition): boolean {
    for (const { tables } of this.#relations.values()) {
      for (const table of tables) {
        if (!table.roles.has(role)) continue;
        if (!table.snapshotDone || table.state.waitFor > position) return false;
      }
    }
    return true;
  }

  #add(id: number, source: SourceTable, state: TableState, fill: Fill): ReplicatedTable {
    const table = new ReplicatedTable({
      id,
      source,
      state,
      fill,
      onError: (error) => this.evaluationErrors.note(source, error),
    });
    const relation = this.#relations.get(source.relationId);
    if (relation === undefined) this.#relations.set(source.relationId, { source, tables: [table] });
    else relation.tables = [...relation.tables, table];
    this.#nextId = Math.max(this.#nextId, id + 1);
    this.#version += 1;
    if (source.identity === 'nothing' || table.isKeyless) {
      this.#logger.warn('source_table_no_identity', {
        code: 'SOURCE_TABLE_NO_IDENTITY',
        table: `${source.schema}.${source.name}`,
        identity: source.identity,
      });
    }
    return table;
  }
}

function tableOf({ tables }: Relation, fill: Fill): ReplicatedTable | undefined {
  return tables.find(({ state }) => state.fill === fill.number);
}
