import type { RowWrite, WriteOp } from '../pipeline/row-write.ts';
import { columnExpression } from './column-value.ts';
import { entryStatements, insertInto, onConflict, tableName } from './entry-statement.ts';
import { rowCells, type Cell, type WritableTable } from './row-cells.ts';
import { quoteName } from './sql-name.ts';
import type { Statement } from './statement-run.ts';
import type { TargetColumn } from './target-table.ts';

/** A write with the table it is for. */
export interface TableWrite {
  readonly write: RowWrite;
  readonly table: WritableTable;
}

/**
 * Statements that apply the writes in order, where those that follow each other and are of one kind
 * (table, operation, columns) are one statement. Undefined where a statement would depend on what
 * another one found.
 *
 * @throws Rejection when a write does not fit its table.
 */
export function mergedStatements(writes: readonly TableWrite[]): readonly Statement[] | undefined {
  const statements: Statement[] = [];
  for (const group of groups(writes)) {
    const [first] = group.rows;
    if (first === undefined) continue;
    if (group.rows.length > 1) {
      statements.push(multiRow(group));
      continue;
    }
    const single = entryStatements(first.write, group.table);
    if (single.length > 1) return undefined;
    statements.push(...single);
  }
  return statements;
}

interface Row {
  readonly write: RowWrite;
  readonly cells: readonly [Cell, ...Cell[]];
}

interface Group {
  readonly kind: string;
  readonly table: WritableTable;
  readonly op: WriteOp;
  readonly ids: Set<string>;
  readonly rows: Row[];
}

function groups(writes: readonly TableWrite[]): readonly Group[] {
  const found: Group[] = [];
  const canMerge = new Map<string, boolean>();
  for (const { write, table } of writes) {
    const row = { write, cells: rowCells(write, table) };
    const kind = kindOf(row);
    const mergeable = canMerge.get(kind) ?? isMergeable(row, table);
    canMerge.set(kind, mergeable);
    const id = mergeable ? plainId(table.idColumn, write.id) : undefined;
    const last = found.at(-1);
    // A statement cannot change a row twice.
    if (id !== undefined && last?.kind === kind && !last.ids.has(id)) {
      last.ids.add(id);
      last.rows.push(row);
    } else {
      const ids = new Set(id === undefined ? [] : [id]);
      found.push({ kind: id === undefined ? '' : kind, table, op: write.op, ids, rows: [row] });
    }
  }
  return found;
}

/** What rows of one statement share. */
function kindOf({ write, cells }: Row): string {
  let kind = `${write.op}\0${write.table}`;
  for (const { column } of cells) kind += `\0${column.name}`;
  return kind;
}

/** Whether writes of this kind may be one statement. */
function isMergeable({ write, cells }: Row, table: WritableTable): boolean {
  if (table.hasStatementTriggers) return false;
  if (write.op === 'PATCH' && cells.length === 1) return false;
  if (write.op === 'PUT' && onConflict(table, cells) === undefined) return false;
  return cells.every(({ column }) => column.kind !== 'composite');
}

/**
 * A text that is the same for ids which PostgreSQL takes for the same; undefined where that is not
 * known.
 */
function plainId(column: TargetColumn, id: string): string | undefined {
  switch (column.baseType) {
    case 'text':
    case 'varchar':
      return column.isDeterministic ? id : undefined;
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id.toLowerCase() : undefined;
    case 'int2':
    case 'int4':
    case 'int8':
      return /^(0|-?[1-9]\d{0,18})$/.test(id) ? id : undefined;
    default:
      return undefined;
  }
}

function multiRow({ op, table, rows }: Group): Statement {
  const first = rows[0]?.cells ?? [];
  const names = first.map((_, at) => `c${at}`);
  const arrays = first.map((_, at) => `$${at + 1}::text[]`).join(', ');
  const from = `unnest(${arrays}) AS u(${names.join(', ')})`;
  const values = first.map((_, at) => arrayOf(rows.map(({ cells }) => cells[at]?.text ?? null)));
  const target = tableName(table);
  const read = first.map(({ column, value }, at) => columnExpression(column, value, `u.c${at}`));
  const same = `t.${quoteName(table.idColumn.name)} = ${read[0]}`;
  if (op === 'DELETE') {
    return { text: `DELETE FROM ${target} AS t USING ${from} WHERE ${same}`, values };
  }
  if (op === 'PATCH') {
    const set = first
      .slice(1)
      .map(({ column }, at) => `${quoteName(column.name)} = ${read[at + 1]}`);
    return {
      text: `UPDATE ${target} AS t SET ${set.join(', ')} FROM ${from} WHERE ${same}`,
      values,
    };
  }
  const insert = `${insertInto(table, first)} SELECT ${read.join(', ')} FROM ${from}`;
  return { text: `${insert} ${onConflict(table, first) ?? ''}`, values };
}

const NEEDS_ESCAPE = /["\\]/g;

/** The literal of a `text[]`. */
export function arrayOf(texts: readonly (string | null)[]): string {
  const parts = texts.map((text) =>
    text === null ? 'NULL' : `"${text.replace(NEEDS_ESCAPE, '\\$&')}"`,
  );
  return `{${parts.join(',')}}`;
}
