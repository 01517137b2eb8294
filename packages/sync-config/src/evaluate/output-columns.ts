import type { TableSchema } from '@sluice/model';
import { operatorCall, type Expression } from '../expr/expression.ts';
import type { RowQuery } from '../plan/queries.ts';

/**
 * The output columns with `*` written out; a later column of the same name replaces the value.
 * `hidden` says what becomes of the columns with `_` that `*` of bucket definitions leaves out.
 */
export function outputColumns(
  query: Pick<RowQuery, 'columns' | 'source'>,
  table: TableSchema,
  hidden: 'left out' | 'listed' = 'left out',
): Map<string, Expression> {
  const columns = new Map<string, Expression>();
  for (const column of query.columns) {
    if (column.kind === 'value') {
      columns.set(column.name, column.value);
      continue;
    }
    for (const { name } of table.columns) {
      if (column.legacy && hidden === 'left out' && name.startsWith('_')) continue;
      const span = { start: 0, end: 0 };
      const value: Expression = { kind: 'column', source: query.source, column: name, ...span };
      const before = columns.get(name);
      const isKept = column.legacy && before !== undefined;
      columns.set(name, isKept ? operatorCall('coalesce', [before, value], span) : value);
    }
  }
  return columns;
}
