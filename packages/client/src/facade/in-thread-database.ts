import { compileSchema } from '../schema/compile-schema.ts';
import type { Schema } from '../schema/schema.ts';
import { AppDatabase } from './app-database.ts';
import { DatabaseEngine } from './database-engine.ts';
import type { Platform } from './platform.ts';

export interface DatabaseOptions {
  readonly schema: Schema;
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
    const { platform, development } = options;
    const engine = DatabaseEngine.open({ schema: compileSchema(options.schema), platform });
    const { clock, onProblem } = platform;
    return new InThreadDatabase(engine, { clock, onProblem, development });
  }
}
