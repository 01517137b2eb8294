import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledFullText, CompiledTable } from './compiled-schema.ts';
import { joinTerms, quoteName, quoteText } from './sql-text.ts';
import type { SqlObject } from './table-objects.ts';

/** What an app searches in: `SELECT id FROM notes_fts WHERE notes_fts MATCH ?`. */
export function fullTextName({ viewName }: Pick<CompiledTable, 'viewName'>): string {
  return `${viewName}_fts`;
}

/**
 * An FTS5 table with the rows' ids and text, and what keeps it right through every way to write, downloads included. It has its own copy of the
 * text: with external content, FTS5 has to be told the former text of each row, which `OR REPLACE` and `OR IGNORE` take out of our hands.
 * Triggers do not see rows that `OR REPLACE` removes, so those that may go are noted before, as in displaced-rows.ts.
 */
export function fullTextObjects(table: CompiledTable): readonly SqlObject[] {
  const { fullText } = table;
  if (fullText === undefined) return [];
  return [index(table, fullText), notes(table), ...triggers(table, fullText)];
}

/** For an index that is new, or whose table was filled without its triggers. */
export function refillFullText(connection: SqliteConnection, table: CompiledTable): void {
  const { fullText } = table;
  if (fullText === undefined) return;
  const name = quoteName(fullTextName(table));
  const columns = ['id', ...fullText.columns].map(quoteName).join(', ');
  connection.exec(
    `DELETE FROM ${name};
      INSERT INTO ${name} (rowid, ${columns}) SELECT rowid, ${columns} FROM ${quoteName(table.viewName)}`,
  );
}

function index(table: CompiledTable, { columns, tokenize, prefix }: CompiledFullText): SqlObject {
  const name = fullTextName(table);
  const options = [
    ...(tokenize === '' ? [] : [`tokenize = ${quoteText(tokenize)}`]),
    ...(prefix.length === 0 ? [] : [`prefix = ${quoteText(prefix.join(' '))}`]),
  ];
  const parts = ['"id" UNINDEXED', ...columns.map(quoteName), ...options];
  const sql = `CREATE VIRTUAL TABLE ${quoteName(name)} USING fts5(${parts.join(', ')})`;
  return { type: 'table', name, sql };
}

function notesName({ viewName }: CompiledTable): string {
  return `sluice_fts__${viewName}`;
}

function notes(table: CompiledTable): SqlObject {
  const name = notesName(table);
  return { type: 'table', name, sql: `CREATE TABLE ${quoteName(name)} (row_number INTEGER)` };
}

function triggers(table: CompiledTable, { columns }: CompiledFullText): readonly SqlObject[] {
  const unique = table.indexes.filter((each) => each.unique).map((each) => each.columns);
  const uniqueNames = unique.flat().map(({ name }) => name);
  const all = ['id', ...columns].map(quoteName).join(', ');
  const values = ['id', ...columns].map((name) => `NEW.${quoteName(name)}`).join(', ');
  const [text, noted] = [quoteName(fullTextName(table)), quoteName(notesName(table))];
  const here = quoteName(table.viewName);
  const note = (conflicts: readonly string[], own: string) => [
    `DELETE FROM ${noted}`,
    `INSERT INTO ${noted} SELECT r.rowid FROM ${here} AS r WHERE ${own}(${joinTerms('OR', conflicts)})`,
  ];
  const drop = `DELETE FROM ${text} WHERE rowid IN (SELECT n.row_number FROM ${noted} AS n
    WHERE NOT EXISTS (SELECT 1 FROM ${here} AS r WHERE r.rowid = n.row_number))`;
  const write = [
    drop,
    `DELETE FROM ${noted}`,
    `INSERT INTO ${text} (rowid, ${all}) VALUES (NEW.rowid, ${values})`,
  ];
  const without = (row: 'OLD' | 'NEW') => `DELETE FROM ${text} WHERE rowid = ${row}.rowid`;
  const conflicts = unique.map(
    (each) =>
      `(${joinTerms(
        'AND',
        each.map(({ name }) => `r.${quoteName(name)} = NEW.${quoteName(name)}`),
      )})`,
  );
  const written = [...new Set([...columns, ...uniqueNames])].map(quoteName).join(', ');
  const make = (name: string, moment: string, body: readonly string[]): SqlObject => {
    const full = `sluice_fts_${name}__${table.viewName}`;
    const sql = `CREATE TRIGGER ${quoteName(full)} ${moment} ON ${here} BEGIN ${body.join('; ')}; END`;
    return { type: 'trigger', name: full, sql };
  };
  return [
    make('prepare', 'BEFORE INSERT', note(['r."id" = NEW."id"', ...conflicts], '')),
    make('insert', 'AFTER INSERT', [without('NEW'), ...write]),
    ...(conflicts.length === 0
      ? []
      : [
          make(
            'displace',
            `BEFORE UPDATE OF ${uniqueNames.map(quoteName).join(', ')}`,
            note(conflicts, 'r.rowid <> OLD.rowid AND '),
          ),
        ]),
    make('update', `AFTER UPDATE OF ${written}`, [without('OLD'), ...write]),
    make('delete', 'AFTER DELETE', [without('OLD')]),
  ];
}
