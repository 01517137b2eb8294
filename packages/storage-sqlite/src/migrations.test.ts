import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import {
  dumpSchema,
  migrate,
  STORAGE_MIGRATIONS,
  WRITE_CHECKPOINT_MIGRATIONS,
} from './migrations.ts';
import { openSqliteStorage } from './sqlite-storage.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-schema-'));
const dumpPath = path.join(import.meta.dirname, 'schema.sql');

afterAll(() => rmSync(folder, { recursive: true }));

function dumpOf(steps: readonly string[]): string {
  const db = new SqliteDatabase(':memory:');
  migrate(db, steps);
  return dumpSchema(db);
}

describe('migrations', () => {
  it('lead to the schema that schema.sql shows (UPDATE_SCHEMA=1 writes it)', () => {
    const dump = [
      '-- Written by migrations.test.ts. The database of bucket storage:\n',
      dumpOf(STORAGE_MIGRATIONS),
      '-- The database of write checkpoints:\n',
      dumpOf(WRITE_CHECKPOINT_MIGRATIONS),
    ].join('\n');
    if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(dumpPath, dump);
    expect(readFileSync(dumpPath, 'utf8')).toBe(dump);
  });

  it('do nothing to a database that is up to date', () => {
    const db = new SqliteDatabase(':memory:');
    migrate(db, STORAGE_MIGRATIONS);
    migrate(db, STORAGE_MIGRATIONS);
    expect(db.pragma('user_version', { simple: true })).toBe(STORAGE_MIGRATIONS.length);
  });

  it('leave the database as it was when a step fails', () => {
    const db = new SqliteDatabase(':memory:');
    expect(() => migrate(db, ['CREATE TABLE a (b)', 'NOT SQL'])).toThrow('syntax error');
    expect(dumpSchema(db)).toBe('');
  });

  it.each(['', '-write-checkpoints'])('refuse what a newer version wrote (%s)', async (suffix) => {
    const file = path.join(folder, `newer${suffix}.db`);
    await (await openSqliteStorage({ path: file }))[Symbol.asyncDispose]();
    const db = new SqliteDatabase(`${file}${suffix}`);
    db.pragma('user_version = 999');
    db.close();
    await expect(openSqliteStorage({ path: file })).rejects.toMatchObject({
      code: 'STORAGE_VERSION',
      details: { found: 999 },
    });
  });
});
