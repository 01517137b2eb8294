import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import type { OutputColumn } from '../plan/queries.ts';
import { warnUnquotedCapitals } from '../sql/parse-sql-text.ts';
import { quoteName } from '../sql/quote-name.ts';
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
      const { start, end } = column.table;
      const text = quoteName(query.source?.name ?? '');
      const fix = { text: `Write ${text}`, edit: { start, end, text } };
      query.report.error('UNKNOWN_TABLE', column.table, message, query.source && fix);
    }
    return [{ kind: 'star', legacy: context.edition < 3 }];
  }
  const value = query.bind(column.expr);
  const { alias, expr } = column;
  if (alias !== undefined) warnUnquotedCapitals(alias, query.report, context.edition);
  const name = alias?.name ?? (expr.kind === 'name' ? expr.parts.at(-1)?.name : undefined);
  if (sourcesOf(value).has(BUCKET_SOURCE)) refuseBucketParameter(value, query);
  if (name !== undefined) return [{ kind: 'value', name, value }];
  if (expr.kind === 'broken') return [];
  const { end } = column;
  const fix = { text: 'Add AS name', edit: { start: end, end, text: ' AS name' } };
  query.report.error('ALIAS_REQUIRED', column, 'An expression needs a name', fix);
  return [];
}

export function refuseBucketParameter(term: Expression, query: LegacyQuery): 'refused' {
  const message =
    query.kind === 'event'
      ? 'A payload has no bucket parameters'
      : 'A bucket parameter can only be compared as row_value = bucket.x or bucket.x IN row_array';
  const fix =
    query.kind === 'event'
      ? 'Compare columns of the row only'
      : 'Compute the value in the parameter query, or the condition from the row alone';
  query.report.error('BUCKET_PARAM_IN_EXPR', term, message, fix);
  return 'refused';
}
