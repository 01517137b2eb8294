import type { SqliteRow, SqliteValue, TableSchema } from '@sluice/model';
import { linkExpression } from '../expr/link.ts';
import { canonicalText, type Expression } from '../expr/expression.ts';
import type { RowQuery } from '../plan/queries.ts';
import { toText } from '../values/conversions.ts';
import type { Dialect, Evaluate } from '../values/dialect.ts';
import { integerText, jsonText } from '../values/json-text.ts';
import { formatReal } from '../values/number-text.ts';
import { outputColumns } from './output-columns.ts';
import { rowLayout } from './row-selection.ts';

/** Builds the client's version of a row. */
export interface RowOutputWriter {
  /** Equal for queries that give the same `data` for every row of the table. */
  readonly shape: string;
  /** JSON text of the output columns (spec/sync-config.md 13.2). */
  data(row: SqliteRow): string;
  /** Text of the output column `id`. */
  objectId(row: SqliteRow): string;
}

export function linkOutput(query: RowQuery, table: TableSchema, dialect: Dialect): RowOutputWriter {
  const columns = outputColumns(query, table);
  const layout = rowLayout(query, table);
  const writers = [...columns].map(([name, value]) => {
    const quoted = `${JSON.stringify(name)}:`;
    return {
      first: `{${quoted}`,
      next: `,${quoted}`,
      // Copied columns, the usual case, are read without a call.
      slot: value.kind === 'column' ? (layout.slotOf(value.source, value.column) ?? -1) : -1,
      evaluate: linkExpression(value, dialect, layout),
    };
  });
  const id = columns.get('id');
  const evaluateId: Evaluate = id ? linkExpression(id, dialect, layout) : () => null;
  return {
    shape: [...columns].map(([name, value]) => shapeText(name, value)).join(','),
    data: (row) => writeRow(writers, row),
    objectId: (row) => idText(evaluateId(row)),
  };
}

function shapeText(name: string, value: Expression): string {
  return `${JSON.stringify(name)}=${canonicalText(value, () => 'row')}`;
}

interface ColumnWriter {
  readonly first: string;
  readonly next: string;
  readonly slot: number;
  readonly evaluate: Evaluate;
}

/** THE HOT PATH, with `RowEvaluator.evaluate`: runs once per row and output shape. */
function writeRow(writers: readonly ColumnWriter[], row: SqliteRow): string {
  let text = '';
  for (const writer of writers) {
    const value = writer.slot >= 0 ? (row[writer.slot] ?? null) : writer.evaluate(row);
    const name = text === '' ? writer.first : writer.next;
    if (typeof value === 'string') text += name + jsonText(value);
    else if (typeof value === 'bigint') text += name + integerText(value);
    else if (typeof value === 'number') text += name + formatReal(value);
    // A BLOB never leaves the service.
    else if (value === null) text += `${name}null`;
  }
  return text === '' ? '{}' : `${text}}`;
}

function idText(id: SqliteValue): string {
  if (typeof id === 'string') return id;
  return id === null || typeof id === 'object' ? '' : toText(id);
}
