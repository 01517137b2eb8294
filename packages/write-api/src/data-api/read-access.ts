import { AppError } from '@sluice/base';
import { compileExpression } from '@sluice/sync-config';
import type { Caller } from '../pipeline/row-write.ts';
import { requestParameter } from '../policy/database-rule.ts';
import type { DataTable } from './data-table.ts';
import type { ReadFilter } from './query-sql.ts';

/** Makes the rule into one with a subquery, which is compiled to text for a database. */
const WRAPPED = ['(select (', '\n))'] as const;

/**
 * The `read` rule of a table as a condition for its rows, which the database evaluates: in its own
 * SQL, so that indexes and aggregates work, with the request's values as parameters. That the rule is
 * right by itself, `policy/` has checked.
 *
 * @throws AppError `DATA_FORBIDDEN` for a rule that is never true.
 */
export function readFilter(rule: string, table: DataTable, caller: Caller): ReadFilter {
  const scope = {
    qualifiers: new Map<string, string>(),
    bareRow: 'row',
    columns: new Set(['id', ...table.columns.keys()]),
    table: table.name,
  };
  const constant = compileExpression({ text: rule }, scope).expression?.constant;
  if (constant === 1n) return undefined;
  if (constant !== undefined) throw forbidden(table.name);
  const { expression } = compileExpression({ text: WRAPPED.join(rule) }, scope);
  const parts = expression?.database;
  if (parts === undefined) throw forbidden(table.name);
  return (values) => {
    const sql = parts.map((part) =>
      typeof part === 'string'
        ? part
        : requestParameter(part, { caller, metadata: undefined }, values),
    );
    return sql.join('').slice(WRAPPED[0].length, -WRAPPED[1].length);
  };
}

export function forbidden(table: string): AppError {
  return new AppError('DATA_FORBIDDEN', `You may not read ${table}`);
}
