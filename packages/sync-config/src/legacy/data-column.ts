import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import type { OutputColumn } from '../plan/queries.ts';
import { warnUnquotedCapitals } from '../sql/parse-sql-text.ts';
import type { ColumnSyntax } from '../sql/syntax.ts';
import type { LegacyQuery } from './bind-scope.ts';

/** Binds an output column of a data query or an event payload. Source: spec/sync-config.md 8.3. */
export function bindDataColumn(
  column: ColumnSyntax,
  query: LegacyQuery,
  context: CompileContext,
): readonly OutputColumn[] {
  if (column.kind === 'star') {
    if (column.table !== undefined && query.source?.name !== column.table.name) {
      const message = `There is no table ${column.table.name} in this query`;
      query.report.error('UNKNOWN_TABLE', column.table, message);
    }
    return [{ kind: 'star', legacy: context.edition < 3 }];
  }
  const value = query.bind(column.expr);
  const { alias, expr } = column;
  if (alias !== undefined) warnUnquotedCapitals(alias, query.report, context.edition);
  const name = alias?.name ?? (expr.kind === 'name' ? expr.parts.at(-1)?.name : undefined);
  if (sourcesOf(value).has(BUCKET_SOURCE)) refuseBucketParameter(value, query);
  if (name !== undefined) return [{ kind: 'value', name, value }];
  query.report.error('ALIAS_REQUIRED', column, 'An expression needs a name', 'Add AS name');
  return [];
}

export function refuseBucketParameter(term: Expression, query: LegacyQuery): 'refused' {
  const message =
    query.kind === 'event'
      ? 'A payload has no bucket parameters'
      : 'A bucket parameter can only be compared as row_value = bucket.x or bucket.x IN row_array';
  query.report.error('BUCKET_PARAM_IN_EXPR', term, message);
  return 'refused';
}
