import { openConnection } from '@sluice/client-node';
import { StatementAnalyzer } from '../changes/statement-analyzer.ts';
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

/** A database in memory, or what is given, with the given tables. */
export function testDatabase(
  tables: readonly CompiledTable[],
  connection: SqliteConnection = openConnection(':memory:'),
): TestDatabase {
  const schema = { tables };
  installSchema(connection, schema);
  const analyzer = new StatementAnalyzer(connection);
  const writtenTables = (sql: string) => analyzer.writes(sql);
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
