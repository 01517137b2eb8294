import type { SqliteConnection } from '../driver/contract.ts';
import { SqlError } from '../errors.ts';
import type { CompiledTable } from './compiled-schema.ts';
import { quoteName } from './sql-text.ts';
import { realTable } from './table-objects.ts';

const REBUILT = 'sluice_rebuilt';

/**
 * Makes a table anew with the columns of `after` and moves its rows over; values take the affinity of their column's new type.
 * What the app hung on the table itself (indexes, triggers) comes back where it still fits.
 * Gives a warning for each that does not.
 */
export function rebuildTable(
  connection: SqliteConnection,
  before: CompiledTable,
  after: CompiledTable,
): readonly string[] {
  const former = new Set(before.columns.map(({ name }) => name));
  const moved = after.columns.map(({ name }) => name).filter((name) => former.has(name));
  const columns = ['id', ...moved].map(quoteName).join(', ');
  const name = quoteName(after.viewName);
  const belongings = belongingsOfApp(connection, after);
  connection.exec(realTable(after, REBUILT).sql);
  connection.exec(
    `INSERT INTO ${REBUILT} (${columns}) SELECT ${columns} FROM ${name} ORDER BY rowid`,
  );
  connection.exec(`DROP TABLE ${name}`);
  connection.exec(`ALTER TABLE ${REBUILT} RENAME TO ${name}`);
  return belongings.flatMap(({ what, sql }) => restored(connection, what, sql));
}

interface Belonging {
  readonly what: string;
  readonly sql: string;
}

/** Ours are gone by now if their text changes, and are made again later if they are missing. */
function belongingsOfApp(
  connection: SqliteConnection,
  { viewName, indexes }: CompiledTable,
): readonly Belonging[] {
  const ours = new Set(indexes.map(({ name }) => `${viewName}__${name}`.toLowerCase()));
  return connection
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema WHERE lower(tbl_name) = lower(?)
        AND type IN ('index', 'trigger') AND sql IS NOT NULL AND name NOT LIKE 'sluice\\_%' ESCAPE '\\'`,
    )
    .all([viewName])
    .filter(([, name]) => !ours.has(String(name).toLowerCase()))
    .map(([type, name, sql]) => ({ what: `${String(type)} "${String(name)}"`, sql: String(sql) }));
}

function restored(connection: SqliteConnection, what: string, sql: string): readonly string[] {
  try {
    connection.exec(sql);
    return [];
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return [`The app's ${what} does not fit the changed table and is dropped: ${error.message}`];
  }
}
