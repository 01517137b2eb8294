import { ExpressionFailure } from '@sluice/sync-config';
import type { TableRules } from '../config/write-api-config.ts';
import type { RowValues, RowWrite, StoredRow, WriteOp } from '../pipeline/row-write.ts';
import { rowAfter, type Caller } from '../pipeline/row-write.ts';
import type { TransactionStep, WriteTransaction } from '../pipeline/table-steps.ts';
import { Rejection } from '../rejection.ts';
import { isSameValue } from '../conflict/same-value.ts';
import { canonicalValues } from '../postgres/canonical-values.ts';
import type { RuleTable } from './rule-table.ts';
import type { Rule } from './rule.ts';
import type { RuleWorld } from './rule-values.ts';
import type { UpdateRule } from './update-rule.ts';

/** What rules may read of the world besides the database. */
export interface PolicyWorld {
  readonly now: () => Date;
  readonly uuid: () => string;
}

export interface PolicyParts {
  readonly table: RuleTable;
  readonly rules: TableRules;
  readonly insert: Rule;
  readonly update: UpdateRule;
  readonly delete: Rule;
  readonly read: Rule | undefined;
  readonly setOnInsert: ReadonlyMap<string, Rule>;
  readonly setOnUpdate: ReadonlyMap<string, Rule>;
  readonly validate: readonly {
    readonly rule: Rule;
    readonly message: string;
    readonly code: string | undefined;
  }[];
  /** Columns that clients send only for the conflict rule to look at. */
  readonly serverColumns: ReadonlySet<string>;
  /** Columns that the conflict rule compares. */
  readonly comparedColumns: ReadonlySet<string>;
  readonly world: PolicyWorld;
}

/**
 * Decides about writes of one table, and completes them. `admit` says whether the caller may touch the
 * row at all, before anything about it could show; `check` sets what the server sets and looks at the
 * row as it will be. What merges a write with the stored row goes between them.
 *
 * A row that the caller may not see is treated as one that is not there: an update or a deletion of it
 * does nothing, and nothing tells the difference. Source: docs/backend.md, "Rules".
 */
export class TablePolicy {
  readonly #parts: PolicyParts;
  /** Columns that some rule looks at, whose values must be what they will be when stored. */
  readonly #lookedAt: ReadonlySet<string>;

  constructor(parts: PolicyParts) {
    this.#parts = parts;
    this.#lookedAt = lookedAt(parts);
  }

  /** Whether the row must be read, and locked, before the steps. */
  needsStored(op: WriteOp): boolean {
    const { insert, update, rules, validate, setOnUpdate } = this.#parts;
    if (op === 'DELETE') return this.#parts.delete.readsRows;
    const isOfRow =
      update.readsRows ||
      rules.immutable.length > 0 ||
      validate.some(({ rule }) => rule.readsRows) ||
      [...setOnUpdate.values()].some((rule) => rule.readsRows);
    if (op === 'PATCH') return isOfRow;
    // Whether a PUT inserts or updates must be known as soon as that makes a difference.
    return isOfRow || !insert.isAlwaysTrue || !update.isAlwaysTrue || hasOperationRules(rules);
  }

  /** Both steps, for a table without a conflict rule. */
  readonly step: TransactionStep = async (write, stored, caller, transaction) => {
    const admitted = await this.admit(write, stored, caller, transaction);
    return admitted && (await this.check(admitted, stored, caller, transaction));
  };

  /** @throws Rejection */
  readonly admit: TransactionStep = async (write, stored, caller, transaction) => {
    const world = this.#worldOf(write, caller, transaction);
    if (write.op === 'DELETE') return this.#admitDelete(write, stored, world);
    const isUpdate = write.op === 'PATCH' || stored !== undefined;
    if (!isUpdate) return this.#admitInsert(write, world);
    return this.#admitUpdate(write, stored, world);
  };

  /** @throws Rejection */
  readonly check: TransactionStep = async (write, stored, caller, transaction) => {
    if (write.op === 'DELETE') return write;
    const world = this.#worldOf(write, caller, transaction);
    const isUpdate = write.op === 'PATCH' || stored !== undefined;
    const complete = await this.#completed(write, stored, isUpdate, world);
    const after = this.#after(complete, stored);
    this.#checkRequired(complete, after, isUpdate);
    const { insert, update } = this.#parts;
    const isAllowed = isUpdate
      ? await update.mayBecome(stored, after, world)
      : await insert.isTrue({ old: undefined, new: after, row: after }, world);
    if (!isAllowed) throw this.#forbidden(write.op === 'PATCH' ? 'update' : 'write');
    await this.#validate(stored, after, world);
    return complete;
  };

  /** Rules with subqueries, which the database evaluates. */
  get databaseRules(): readonly Rule[] {
    return allRules(this.#parts).filter((rule) => rule.trial !== undefined);
  }

  /** Whether the data API may show the row to the caller. */
  async mayRead(row: RowValues, caller: Caller, transaction: WriteTransaction): Promise<boolean> {
    const { read } = this.#parts;
    if (read === undefined) return false;
    const world = { ...this.#world(), caller, metadata: undefined, transaction };
    return read.isTrue({ old: row, new: row, row }, world);
  }

  async #admitDelete(write: RowWrite, stored: StoredRow, world: RuleWorld) {
    const rule = this.#parts.delete;
    if (rule.readsRows && stored === undefined) return undefined;
    if (await rule.isTrue({ old: stored, new: undefined, row: stored }, world)) return write;
    if (!rule.readsRows || (await this.#maySee(stored, world))) throw this.#forbidden('delete');
    return undefined;
  }

  async #admitInsert(write: RowWrite, world: RuleWorld): Promise<RowWrite> {
    const { rules, insert } = this.#parts;
    const stripped = await this.#withoutServerColumns(write, false, world);
    const refused = this.#notAllowed(stripped, rules.insertColumns);
    if (insert.constant !== undefined && !insert.isAlwaysTrue) throw this.#forbidden('write');
    if (refused.length > 0) throw columnsForbidden(refused, this.#parts.table.name);
    return stripped;
  }

  async #admitUpdate(
    original: RowWrite,
    stored: StoredRow,
    world: RuleWorld,
  ): Promise<RowWrite | undefined> {
    const { update, rules, table } = this.#parts;
    const isPut = original.op === 'PUT';
    const write = await this.#withoutServerColumns(original, true, world);
    const refused = this.#notAllowed(write, rules.updateColumns);
    // What does not depend on the row is answered whether there is one or not.
    if (!isPut && refused.length > 0) throw columnsForbidden(refused, table.name);
    if (update.isAboutCallerOnly && !(await update.mayTouch(undefined, undefined, world))) {
      throw this.#forbidden(isPut ? 'write' : 'update');
    }
    if (stored === undefined) return this.needsStored('PATCH') ? undefined : write;
    if (!(await this.#mayTouch(write, stored, world))) {
      if (isPut) throw this.#forbidden('write');
      if (await this.#maySee(stored, world)) throw this.#forbidden('update');
      return undefined;
    }
    return this.#withoutUnchanged(write, stored, refused);
  }

  async #mayTouch(write: RowWrite, stored: RowValues, world: RuleWorld): Promise<boolean> {
    const { update } = this.#parts;
    if (update.isAlwaysTrue) return true;
    const complete = await this.#completed(write, stored, true, world);
    return update.mayTouch(stored, this.#after(complete, stored), world);
  }

  /** Without `read`: who may change the row in some way may know of it. */
  async #maySee(stored: StoredRow, world: RuleWorld): Promise<boolean> {
    if (stored === undefined) return false;
    const { read, update } = this.#parts;
    const rows = { old: stored, new: stored, row: stored };
    if (read !== undefined) return read.isTrue(rows, world);
    if (await update.mayTouch(stored, stored, world)) return true;
    return this.#parts.delete.isTrue(rows, world);
  }

  /** Columns that must not change may be sent with the value that they have. */
  #withoutUnchanged(write: RowWrite, stored: RowValues, refused: readonly string[]): RowWrite {
    const values = new Map(write.values);
    const changed = (columns: readonly string[]) =>
      columns.filter((column) => {
        const value = values.get(column);
        if (value === undefined) return false;
        if (!isSameValue(value, stored.get(column) ?? null)) return true;
        values.delete(column);
        return false;
      });
    const { rules, table } = this.#parts;
    const immutable = changed(rules.immutable);
    if (immutable.length > 0) {
      const message = `${listed(immutable)} of ${table.name} cannot be changed`;
      throw new Rejection('UPLOAD_IMMUTABLE', message);
    }
    const forbidden = changed(refused);
    if (forbidden.length > 0) throw columnsForbidden(forbidden, table.name);
    return { ...write, values };
  }

  /** What the server sets is not taken from the client, except where `columns` lists it by name. */
  async #withoutServerColumns(
    write: RowWrite,
    isUpdate: boolean,
    { transaction }: RuleWorld,
  ): Promise<RowWrite> {
    const { table, rules, setOnInsert, setOnUpdate } = this.#parts;
    const [own, other] = isUpdate ? [setOnUpdate, setOnInsert] : [setOnInsert, setOnUpdate];
    const listedColumns = isUpdate ? rules.updateColumns : rules.insertColumns;
    const kept = [...write.values].filter(
      ([name]) => !own.has(name) && (!other.has(name) || listedColumns?.includes(name) === true),
    );
    const values = await canonicalValues(new Map(kept), this.#lookedAt, table, transaction);
    const { comparedColumns } = this.#parts;
    const base =
      write.base && (await canonicalValues(write.base, comparedColumns, table, transaction));
    return { ...write, values, base };
  }

  #notAllowed(write: RowWrite, allowed: readonly string[] | undefined): readonly string[] {
    if (allowed === undefined) return [];
    const { serverColumns } = this.#parts;
    return [...write.values.keys()].filter(
      (name) => !allowed.includes(name) && !serverColumns.has(name),
    );
  }

  async #completed(
    write: RowWrite,
    stored: StoredRow,
    isUpdate: boolean,
    world: RuleWorld,
  ): Promise<RowWrite> {
    const rules = isUpdate ? this.#parts.setOnUpdate : this.#parts.setOnInsert;
    const isNothing = write.op === 'PATCH' && write.values.size === 0;
    if (rules.size === 0 || isNothing) return write;
    const after = this.#after(write, stored);
    const rows = { old: stored, new: after, row: after };
    const set = new Map<string, Awaited<ReturnType<Rule['value']>>>();
    const { table } = this.#parts;
    for (const [column, rule] of rules) {
      try {
        set.set(column, await rule.value(rows, world));
      } catch (cause) {
        if (!(cause instanceof ExpressionFailure)) throw cause;
        const message = `The value that the server sets for ${column} of ${table.name} cannot be computed: ${cause.message}`;
        throw new Rejection('UPLOAD_VALUE_INVALID', message, { cause });
      }
    }
    const values = await canonicalValues(set, this.#lookedAt, table, world.transaction);
    return { ...write, values: new Map([...write.values, ...values]) };
  }

  #checkRequired(write: RowWrite, after: RowValues, isUpdate: boolean): void {
    const { rules, table } = this.#parts;
    const missing = rules.required.filter((column) =>
      isUpdate ? write.values.get(column) === null : (after.get(column) ?? null) === null,
    );
    if (missing.length === 0) return;
    throw new Rejection('UPLOAD_REQUIRED', `${table.name} needs a value of ${listed(missing)}`);
  }

  async #validate(stored: StoredRow, after: RowValues, world: RuleWorld): Promise<void> {
    const rows = { old: stored, new: after, row: after };
    for (const { rule, message, code } of this.#parts.validate) {
      if (await rule.isTrue(rows, world)) continue;
      throw new Rejection('UPLOAD_CHECK_FAILED', message, { reason: code });
    }
  }

  /** The id of a row that is there is how the database writes it. */
  #after(write: RowWrite, stored: StoredRow): RowValues {
    const after = new Map(rowAfter(write, stored));
    const id = stored?.get('id');
    if (id !== undefined) after.set('id', id);
    return after;
  }

  #forbidden(what: 'write' | 'update' | 'delete'): Rejection {
    const { name } = this.#parts.table;
    return new Rejection('UPLOAD_FORBIDDEN', `You may not ${what} this row of ${name}`);
  }

  #worldOf(write: RowWrite, caller: Caller, transaction: WriteTransaction): RuleWorld {
    return { ...this.#world(), caller, metadata: write.metadata, transaction };
  }

  #world(): { readonly now: Date; readonly uuid: () => string } {
    const { now, uuid } = this.#parts.world;
    return { now: now(), uuid };
  }
}

function hasOperationRules(rules: TableRules): boolean {
  return (
    rules.required.length > 0 ||
    rules.setOnInsert.size > 0 ||
    rules.setOnUpdate.size > 0 ||
    rules.insertColumns !== rules.updateColumns
  );
}

function allRules(parts: PolicyParts): readonly Rule[] {
  return [
    parts.insert,
    ...parts.update.rules,
    parts.delete,
    ...(parts.read === undefined ? [] : [parts.read]),
    ...parts.setOnInsert.values(),
    ...parts.setOnUpdate.values(),
    ...parts.validate.map(({ rule }) => rule),
  ];
}

function lookedAt(parts: PolicyParts): ReadonlySet<string> {
  const { rules } = parts;
  const all = allRules(parts);
  const columns = all.flatMap((rule) => rule.columns);
  const compared = rules.updateColumns === undefined ? [] : parts.table.columns.keys();
  return new Set([...columns, ...rules.immutable, ...compared, ...parts.comparedColumns]);
}

function columnsForbidden(columns: readonly string[], table: string): Rejection {
  const message = `${listed(columns)} of ${table} cannot be written`;
  return new Rejection('UPLOAD_COLUMN_FORBIDDEN', message);
}

function listed(columns: readonly string[]): string {
  return columns.join(', ');
}
