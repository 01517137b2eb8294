import { openConnection } from '@sluice/client-node';
import { WriterSession } from '../database/writer-session.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledTable } from '../schema/compiled-schema.ts';
import { installSchema } from '../schema/install-schema.ts';

export interface TestDatabase {
  readonly connection: SqliteConnection;
  readonly session: WriterSession;
  /** The queue's entries as stored. */
  readonly entries: () => readonly string[];
  readonly query: (sql: string) => readonly unknown[][];
}

/** A database in memory with the given tables. */
export function testDatabase(tables: readonly CompiledTable[], file = ':memory:'): TestDatabase {
  const connection = openConnection(file);
  const schema = { tables };
  installSchema(connection, schema);
  const known = new Map<string, ReadonlySet<string>>();
  const writtenTables = (sql: string) => {
    const written = known.get(sql) ?? tablesOpenedForWriting(connection, sql);
    known.set(sql, written);
    return written;
  };
  return {
    connection,
    session: new WriterSession(connection, { schema, writtenTables }),
    entries: () =>
      connection
        .prepare('SELECT data FROM sluice_crud ORDER BY id')
        .all()
        .map(([data]) => String(data)),
    query: (sql) => connection.prepare(sql).all(),
  };
}

/** From the statement's program, triggers included. */
function tablesOpenedForWriting(connection: SqliteConnection, sql: string): ReadonlySet<string> {
  const roots = new Map(
    connection
      .prepare('SELECT rootpage, lower(tbl_name) FROM sqlite_schema')
      .all()
      .map(([root, name]) => [root, String(name)]),
  );
  const names = connection
    .prepare(`EXPLAIN ${sql}`)
    .all(Array.from({ length: sql.split('?').length - 1 }, () => null))
    .filter(([, opcode]) => opcode === 'OpenWrite')
    .map((row) => roots.get(row[3] ?? null) ?? '');
  return new Set(names);
}
