import { compileSchema } from '../schema/compile-schema.ts';
import type { AnySchema } from '../schema/schema.ts';
import { AppDatabase } from './app-database.ts';
import { DatabaseEngine } from './database-engine.ts';
import type { Platform } from './platform.ts';

export interface DatabaseOptions {
  readonly schema: AnySchema;
  readonly platform: Platform;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean | undefined;
}

/** A database whose SQLite, sync and live queries run in the thread that opened it. */
export class InThreadDatabase extends AppDatabase {
  /**
   * Opens the database and makes its tables fit the schema. Nothing of the data is read, so it takes no longer for a large one.
   *
   * @throws SchemaError; ClientError `LAYOUT` for a database of a newer version; SqlError
   */
  static async open(options: DatabaseOptions): Promise<InThreadDatabase> {
    const { schema, platform, development } = options;
    const engine = DatabaseEngine.open({ schema: compileSchema(schema), platform });
    const { clock, onProblem } = platform;
    const { integerMode } = schema;
    return new InThreadDatabase(engine, { clock, onProblem, development, integerMode });
  }
}
