import type { Reporter, Span } from '../diagnostics.ts';
import type { OutputColumn } from '../plan/queries.ts';
import type { TableReference } from './table-reference.ts';

/**
 * Every client row needs an `id`. Explicit columns without one are an error in editions 1 and 2 and a
 * warning in edition 3; `*` over a table known to have none is a warning.
 * Source: spec/sync-config.md 8.3 rule 2, 10.2 rule 6, 16.
 */
export function checkId(
  columns: readonly OutputColumn[],
  {
    table,
    edition,
    report,
    at,
  }: {
    readonly table: TableReference;
    readonly edition: number;
    readonly report: Reporter;
    readonly at: Span;
  },
): void {
  if (columns.some((column) => column.kind === 'value' && column.name === 'id')) return;
  if (!columns.some((column) => column.kind === 'star')) {
    const fix = 'Add the id column, or AS id to the column that identifies the row';
    const message = 'The query has no column id';
    if (edition < 3) report.error('ID_REQUIRED', at, message, fix);
    else report.warn('ID_MISSING', at, message, fix);
    return;
  }
  const lacking = table.liveTables?.find(({ columns: live }) => !live.some((c) => c.name === 'id'));
  if (lacking === undefined) return;
  const message = `The table ${lacking.name} has no column id, so its rows would have no id`;
  report.warn('ID_MISSING', at, message, 'Add <column> AS id');
}
