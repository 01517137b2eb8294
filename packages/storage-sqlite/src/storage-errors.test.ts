import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { asStorageError } from './sqlite-error.ts';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-errors-'));

afterAll(() => rmSync(folder, { recursive: true }));

const codeOf = (sqliteCode: string) =>
  asStorageError(new SqliteDatabase.SqliteError('text', sqliteCode)).code;

describe('errors of SQLite', () => {
  it.each([
    ['SQLITE_FULL', 'STORAGE_FULL'],
    ['SQLITE_CORRUPT_INDEX', 'STORAGE_CORRUPT'],
    ['SQLITE_NOTADB', 'STORAGE_CORRUPT'],
    ['SQLITE_CANTOPEN_ISDIR', 'STORAGE_UNAVAILABLE'],
    ['SQLITE_IOERR_FSYNC', 'STORAGE_UNAVAILABLE'],
    ['SQLITE_BUSY_SNAPSHOT', 'STORAGE_UNAVAILABLE'],
    ['SQLITE_READONLY_DBMOVED', 'STORAGE_UNAVAILABLE'],
    ['SQLITE_CONSTRAINT_UNIQUE', 'INTERNAL_BUG'],
    ['SQLITE_ERROR', 'INTERNAL_BUG'],
  ])('%s becomes %s', (sqliteCode, code) => {
    expect(codeOf(sqliteCode)).toBe(code);
  });

  it('a missing folder is STORAGE_UNAVAILABLE', async () => {
    const file = path.join(folder, 'missing', 'buckets.db');
    await expect(openSqliteStorage({ path: file })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });

  it('a folder in place of the file is STORAGE_UNAVAILABLE', async () => {
    const file = path.join(folder, 'folder.db');
    mkdirSync(file);
    await expect(openSqliteStorage({ path: file })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });

  it('a file that is no database is STORAGE_CORRUPT', async () => {
    const file = path.join(folder, 'text.db');
    writeFileSync(file, 'This is a text, and no database. '.repeat(100));
    await expect(openSqliteStorage({ path: file })).rejects.toMatchObject({
      code: 'STORAGE_CORRUPT',
    });
  });

  it('a batch that does not fit on the disk is STORAGE_FULL and leaves nothing behind', async () => {
    const file = path.join(folder, 'full.db');
    await using storage = await openSqliteStorage({ path: file, maxBytes: 1 << 20 });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    const put = (key: string, data: string) => {
      const outputs = [{ objectType: 't', objectId: key, data, buckets: [`b${key}`] }];
      return { kind: 'put', tableId: 1, key, row: { outputs, lookups: [] } } as const;
    };
    await writer.write({ changes: [put('1', 'small')], resume: 'first', checkpoint: '1' });
    const large = { changes: [put('2', 'x'.repeat(2 << 20))], resume: 'second', checkpoint: '2' };
    await expect(writer.write(large)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      retryable: true,
    });
    expect(await writer.progress()).toMatchObject({
      resume: 'first',
      checkpoint: { position: '1' },
    });

    await writer.write({ changes: [put('2', 'less')], resume: 'third', checkpoint: '3' });
    await using reader = await storage.openReader(id);
    const at = reader.checkpoint()?.opId ?? 0n;
    const states = await reader.bucketStates(['b1', 'b2'], at);
    expect(states.map((state) => state.count)).toEqual([1, 1]);
  });
});
