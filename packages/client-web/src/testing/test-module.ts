import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { SqliteModule } from '../sqlite/sqlite-module.ts';

const file = createRequire(import.meta.url).resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');

/** SQLite's module, which runs in Node.js too. */
export async function testModule(): Promise<SqliteModule> {
  return SqliteModule.instantiate(await WebAssembly.compile(await readFile(file)));
}
