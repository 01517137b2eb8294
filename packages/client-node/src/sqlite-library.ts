import { createRequire } from 'node:module';
import type SqliteDatabase from 'better-sqlite3';

const require = createRequire(import.meta.url);

/** Loaded by the threads that use it, at its first use: an app's own thread mostly does not. */
export function sqliteLibrary(): typeof SqliteDatabase {
  return require('better-sqlite3') as typeof SqliteDatabase;
}
