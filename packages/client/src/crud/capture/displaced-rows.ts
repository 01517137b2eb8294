import type { CompiledIndex, CompiledTable } from '../../schema/compiled-schema.ts';
import { presentColumnsJson } from '../../schema/row-json.ts';
import { joinTerms, quoteName } from '../../schema/sql-text.ts';
import { deleteEntry } from './entry-json.ts';

/*
 * `OR REPLACE` removes rows that a unique index does not let stand beside the new one, and no trigger tells of it.
 * So the rows that may have to go are noted before the write (which may yet be ignored, or refused), and those
 * that are gone after it are queued as deleted.
 */

export function uniqueColumns(table: CompiledTable): readonly string[] {
  return [
    ...new Set(uniqueIndexes(table).flatMap(({ columns }) => columns.map(({ name }) => name))),
  ];
}

export function noteDisplaced(table: CompiledTable, type: number): readonly string[] {
  const indexes = uniqueIndexes(table);
  if (indexes.length === 0) return [];
  const same = indexes.map(
    ({ columns }) =>
      `(${joinTerms(
        'AND',
        columns.map(({ name }) => `r.${quoteName(name)} = NEW.${quoteName(name)}`),
      )})`,
  );
  const values = [
    String(type),
    'r."id"',
    presentColumnsJson(table.columns, 'r'),
    deleteEntry(table, 'r', undefined),
  ];
  return [
    `DELETE FROM sluice_replaced WHERE type = ${type}`,
    `INSERT INTO sluice_replaced (type, id, data, entry) SELECT ${values.join(', ')}` +
      ` FROM ${quoteName(table.viewName)} AS r WHERE r."id" IS NOT NEW."id" AND (${joinTerms('OR', same)})`,
  ];
}

export function displacedRows(table: CompiledTable, type: number): readonly string[] {
  if (uniqueIndexes(table).length === 0) return [];
  const gone = `FROM sluice_replaced AS d WHERE d.type = ${type} AND ${isGone(table)}`;
  return [
    `INSERT INTO sluice_shadow (type, id, data) SELECT d.type, d.id, d.data ${gone}` +
      ` AND NOT EXISTS (SELECT 1 FROM sluice_shadow AS s WHERE s.type = d.type AND s.id = d.id)`,
    `INSERT INTO sluice_crud (tx_id, data, created_at) SELECT t.tx_id, d.entry, t.started_at` +
      ` FROM sluice_tx AS t, sluice_replaced AS d WHERE d.type = ${type} AND ${isGone(table)}`,
    `DELETE FROM sluice_replaced WHERE type = ${type}`,
  ];
}

function isGone({ viewName }: CompiledTable): string {
  return `NOT EXISTS (SELECT 1 FROM ${quoteName(viewName)} AS r WHERE r."id" = d.id)`;
}

function uniqueIndexes({ indexes }: CompiledTable): readonly CompiledIndex[] {
  return indexes.filter(({ unique }) => unique);
}
