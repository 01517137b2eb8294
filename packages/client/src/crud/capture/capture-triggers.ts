import type { CompiledTable } from '../../schema/compiled-schema.ts';
import { presentColumnsJson } from '../../schema/row-json.ts';
import { joinTerms, quoteName } from '../../schema/sql-text.ts';
import type { SqlObject } from '../../schema/table-objects.ts';
import { changed, deleteEntry, insertOnlyEntry, patchEntry, putEntry } from './entry-json.ts';
import { displacedRows, noteDisplaced, uniqueColumns } from './displaced-rows.ts';

/*
 * Statements in triggers have no conflict clause: the one of the statement that fires them would
 * take its place. And there is one trigger per moment, as SQLite leaves the order of several open.
 */

const CAPTURING = '(SELECT applying FROM sluice_guard) = 0';

/** The transaction takes its id at its first captured write; one to a synced table arms the gate. */
const OPEN =
  `UPDATE sluice_tx SET tx_id = tx_id + 1 - open, open = 1,` +
  ` started_at = CASE open WHEN 0 THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) ELSE started_at END`;
const OPEN_AND_ARM = `${OPEN}, armed = 1 WHERE armed = 0`;

/** What records local writes to a synced table: queue entries, shadows, the transaction's id, the gate. */
export function captureTriggers(table: CompiledTable, type: number): readonly SqlObject[] {
  const make = (name: string, moment: string, when: readonly string[], body: readonly string[]) =>
    trigger(table, name, moment, [CAPTURING, ...when], body);
  const idle = table.trackMetadata ? ['OLD."_metadata" IS NULL', 'OLD."_deleted" IS NULL'] : [];
  const removing = table.trackMetadata ? ['NEW."_deleted" IS NOT TRUE'] : [];
  const unique = uniqueColumns(table);
  return [
    make(
      'prepare',
      'BEFORE INSERT',
      [],
      [shadowOfExisting(table, type), ...noteDisplaced(table, type)],
    ),
    make(
      'insert',
      'AFTER INSERT',
      [],
      [
        OPEN_AND_ARM,
        shadow(type, 'NEW', 'NULL'),
        ...displacedRows(table, type),
        queue(putEntry(table)),
        ...forgetMetadata(table),
      ],
    ),
    make(
      'id',
      'BEFORE UPDATE OF "id"',
      ['NEW."id" IS NOT OLD."id"'],
      [`SELECT RAISE(ABORT, 'Cannot update id')`],
    ),
    ...(unique.length === 0
      ? []
      : [
          make(
            'displace',
            `BEFORE UPDATE OF ${unique.map(quoteName).join(', ')}`,
            idle,
            noteDisplaced(table, type),
          ),
        ]),
    make(
      'update',
      'AFTER UPDATE',
      [...idle, ...removing, ...relevant(table)],
      [
        OPEN_AND_ARM,
        shadow(type, 'OLD', presentColumnsJson(table.columns, 'OLD')),
        ...displacedRows(table, type),
        queue(patchEntry(table)),
        ...forgetMetadata(table),
      ],
    ),
    ...ignoredUpdateTrigger(table),
    ...removalTrigger(table, type),
    make('delete', 'AFTER DELETE', table.trackMetadata ? ['OLD."_deleted" IS NULL'] : [], [
      OPEN_AND_ARM,
      shadow(type, 'OLD', presentColumnsJson(table.columns, 'OLD')),
      queue(deleteEntry(table, 'OLD', undefined)),
    ]),
  ];
}

/** Rows of an insert-only table go to the queue and nowhere else. */
export function insertOnlyTrigger(table: CompiledTable): SqlObject {
  return trigger(
    table,
    'insert',
    'INSTEAD OF INSERT',
    [CAPTURING],
    [
      `SELECT RAISE(ABORT, 'id is required') WHERE NEW."id" IS NULL`,
      `SELECT RAISE(ABORT, 'id should be text') WHERE typeof(NEW."id") <> 'text'`,
      `${OPEN} WHERE open = 0`,
      queue(insertOnlyEntry(table)),
    ],
  );
}

/** `UPDATE ... SET _deleted = TRUE, _metadata = ...` deletes a row with a note. */
function removalTrigger(table: CompiledTable, type: number): readonly SqlObject[] {
  if (!table.trackMetadata) return [];
  const when = [
    CAPTURING,
    'OLD."_metadata" IS NULL',
    'OLD."_deleted" IS NULL',
    'NEW."_deleted" IS TRUE',
  ];
  return [
    trigger(table, 'remove', 'AFTER UPDATE', when, [
      OPEN_AND_ARM,
      shadow(type, 'OLD', presentColumnsJson(table.columns, 'OLD')),
      ...displacedRows(table, type),
      queue(deleteEntry(table, 'OLD', 'NEW."_metadata"')),
      `DELETE FROM ${quoteName(table.viewName)} WHERE "id" = OLD."id"`,
    ]),
  ];
}

/** An update without interest leaves no metadata behind either. */
function ignoredUpdateTrigger(table: CompiledTable): readonly SqlObject[] {
  if (!table.trackMetadata || !table.ignoreEmptyUpdates) return [];
  const when = [
    CAPTURING,
    'OLD."_metadata" IS NULL',
    'OLD."_deleted" IS NULL',
    'NEW."_deleted" IS NOT TRUE',
    ...relevant(table).map((condition) => `NOT ${condition}`),
  ];
  return [trigger(table, 'ignore', 'AFTER UPDATE', when, forgetMetadata(table))];
}

/** With `ignoreEmptyUpdates`, an update must change something to be of interest. */
function relevant(table: CompiledTable): readonly string[] {
  if (!table.ignoreEmptyUpdates) return [];
  return table.columns.length === 0 ? ['0'] : [`(${joinTerms('OR', table.columns.map(changed))})`];
}

/** Metadata is for the entry alone. The update that this makes is told apart by its OLD row. */
function forgetMetadata({ trackMetadata, viewName }: CompiledTable): readonly string[] {
  if (!trackMetadata) return [];
  return [
    `UPDATE ${quoteName(viewName)} SET "_metadata" = NULL, "_deleted" = NULL` +
      ` WHERE "id" = NEW."id" AND ("_metadata" IS NOT NULL OR "_deleted" IS NOT NULL)`,
  ];
}

/** A row that `INSERT OR REPLACE` may be about to replace. In vain if it turns out to be left as it is, which does no harm. */
function shadowOfExisting({ viewName, columns }: CompiledTable, type: number): string {
  return (
    `INSERT INTO sluice_shadow (type, id, data) SELECT ${type}, r."id", ${presentColumnsJson(columns, 'r')}` +
    ` FROM ${quoteName(viewName)} AS r WHERE r."id" = NEW."id" AND ${noShadow(type, 'NEW."id"')}`
  );
}

function shadow(type: number, row: 'NEW' | 'OLD', data: string): string {
  const id = `${row}."id"`;
  return `INSERT INTO sluice_shadow (type, id, data) SELECT ${type}, ${id}, ${data} WHERE ${noShadow(type, id)}`;
}

function noShadow(type: number, id: string): string {
  return `NOT EXISTS (SELECT 1 FROM sluice_shadow AS s WHERE s.type = ${type} AND s.id = ${id})`;
}

function queue(entry: string): string {
  return `INSERT INTO sluice_crud (tx_id, data, created_at) SELECT tx_id, ${entry}, started_at FROM sluice_tx`;
}

function trigger(
  table: CompiledTable,
  name: string,
  moment: string,
  when: readonly string[],
  body: readonly string[],
): SqlObject {
  const fullName = `sluice_${name}__${table.viewName}`;
  const statements = body.map((statement) => `  ${statement};`).join('\n');
  return {
    type: 'trigger',
    name: fullName,
    sql: `CREATE TRIGGER ${quoteName(fullName)} ${moment} ON ${quoteName(table.viewName)} WHEN ${when.join(' AND ')} BEGIN\n${statements}\nEND`,
  };
}
