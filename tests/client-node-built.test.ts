import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-built-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

/** What an app runs: plain Node.js and the files that are published. */
const PROGRAM = `
import Module from 'node:module';
import { column, openDatabase, Schema, Table } from '@sluice/client-node';
const lists = new Table({ name: column.text });
const db = await openDatabase({ file: process.argv[1], schema: new Schema({ lists }) });
await db.execute('INSERT INTO lists (id, name) VALUES (?, ?)', ['a', 'Groceries']);
const rows = await db.getAll('SELECT id, name FROM lists');
await db.close();
const hasOwnSqlite = Object.keys(Module._cache).some((name) => name.includes('better-sqlite3'));
console.log(JSON.stringify({ rows, hasOwnSqlite }));
`;

test('an app of the built package has its database on other threads, and ends when it has closed it', async () => {
  const parameters = ['--input-type=module', '-e', PROGRAM, path.join(dir, 'app.sqlite')];
  const cwd = path.resolve(import.meta.dirname, '..');
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    cwd,
    timeout: 60_000,
  });
  expect(JSON.parse(stdout)).toEqual({
    rows: [{ id: 'a', name: 'Groceries' }],
    hasOwnSqlite: false,
  });
});
