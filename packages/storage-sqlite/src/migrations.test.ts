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

  it('keep an old generation with all it holds, its config without prefixes', async () => {
    const file = path.join(folder, 'first-version.db');
    const db = new SqliteDatabase(file);
    migrate(db, STORAGE_MIGRATIONS.slice(0, 1));
    db.exec(`
      INSERT INTO generations VALUES
        (3, 'retired', 'old: {}', 'h3', 'slot3', 'salt', 30), (4, 'active', 'a: {}', 'h4', NULL, 's', 40);
      INSERT INTO progress VALUES (4, 'resume', 7, 'p7');
      INSERT INTO lookups VALUES (4, '4#k', 7, NULL, '[1]');
      UPDATE sequence SET last_op = 7, last_bucket = 2;
    `);
    db.close();
    await using storage = await openSqliteStorage({ path: file });
    const config = (text: string, hash: string, deployedAtMs: number) => {
      return { serving: { text, hash, prefixes: {}, deployedAtMs } };
    };
    expect(await storage.generations()).toEqual([
      {
        id: 3,
        state: 'retired',
        configs: config('old: {}', 'h3', 30),
        sourceHandle: 'slot3',
        createdAtMs: 30,
      },
      {
        id: 4,
        state: 'active',
        configs: config('a: {}', 'h4', 40),
        sourceHandle: undefined,
        createdAtMs: 40,
      },
    ]);
    await using reader = await storage.openReader(4);
    expect(reader.checkpoint()).toEqual({ opId: 7n, position: 'p7' });
    expect((await reader.lookup(['4#k'], 7n)).get('4#k')).toEqual(['[1]']);
    expect(await storage.takeFillNumber()).toBe(1);
    await storage.deleteGeneration(3);
    expect((await storage.generations()).map(({ id }) => id)).toEqual([4]);
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
