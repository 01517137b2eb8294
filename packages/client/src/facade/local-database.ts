import { StatementAnalyzer } from '../changes/statement-analyzer.ts';
import { WriterSession } from '../database/writer-session.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import { installSchema } from '../schema/install-schema.ts';
import { StoredRows } from '../sync/store/stored-rows.ts';
import { createSyncLayout } from '../sync/store/sync-layout.ts';
import { createStreamLayout } from '../sync/streams/stream-layout.ts';
import { createCallLayout } from '../remote/call-records.ts';

/** The writer's connection with everything that lies in its database. Synchronous. */
export class LocalDatabase {
  readonly connection: SqliteConnection;
  readonly analyzer: StatementAnalyzer;
  readonly session: WriterSession;
  /** What was lost when the schema was installed, in sentences. */
  readonly warnings: readonly string[];
  #schema: CompiledSchema;

  /** @throws ClientError `LAYOUT`; SqlError */
  constructor(connection: SqliteConnection, schema: CompiledSchema) {
    this.connection = connection;
    createLayouts(connection);
    this.warnings = installSchema(connection, schema, new StoredRows(connection)).warnings;
    this.analyzer = new StatementAnalyzer(connection);
    const writtenTables = (sql: string) => this.analyzer.writes(sql);
    this.session = new WriterSession(connection, { schema, writtenTables });
    this.#schema = schema;
  }

  get schema(): CompiledSchema {
    return this.#schema;
  }

  /** Returns what was lost, in sentences. Not inside a transaction. */
  changeSchema(schema: CompiledSchema): readonly string[] {
    const { warnings } = installSchema(this.connection, schema, new StoredRows(this.connection));
    this.session.useSchema(schema);
    this.#schema = schema;
    return warnings;
  }
}

/** Before the schema's tables, which take rows from them. */
function createLayouts(connection: SqliteConnection): void {
  createSyncLayout(connection);
  createCallLayout(connection);
  createStreamLayout(connection);
}
