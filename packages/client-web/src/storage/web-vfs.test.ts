import type { SqliteConnection } from '@sluice/client';
import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { openWasmConnection } from '../sqlite/open-wasm-connection.ts';
import { LimitedFiles } from '../testing/limited-files.ts';
import { testModule } from '../testing/test-module.ts';
import { MemoryFiles } from './memory-files.ts';
import type { FileSpace } from './stored-file.ts';
import { WebVfs } from './web-vfs.ts';

const module = await testModule();
let count = 0;

/** Opens connections to the file `data` of a new VFS over `files`. */
function opener(files: FileSpace) {
  const vfs = new WebVfs(module, { name: `vfs-${++count}`, files, onFault: () => undefined });
  return (how: 'writer' | 'reader', cacheBytes?: number): SqliteConnection =>
    openWasmConnection(module, {
      file: 'data',
      vfs: vfs.name,
      readonly: how === 'reader',
      cacheBytes,
    });
}

test('a reader sees what is committed, whatever the writer has open, also what it had no memory for', () => {
  const open = opener(new LimitedFiles().files);
  const writer = open('writer', 100_000);
  writer.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1)');
  const reader = open('reader');
  const rows = (db: SqliteConnection) => db.prepare('SELECT count(*) FROM a').get()?.[0];
  writer.exec('BEGIN');
  const insert = writer.prepare('INSERT INTO a VALUES (zeroblob(5000))');
  for (let n = 0; n < 1000; n++) insert.run();
  expect([rows(writer), rows(reader)]).toEqual([1001, 1]);
  reader.exec('BEGIN');
  expect(rows(reader)).toBe(1);
  writer.exec('COMMIT');
  expect([rows(writer), rows(reader)]).toEqual([1001, 1]);
  reader.exec('COMMIT');
  expect(rows(reader)).toBe(1001);
  for (const db of [reader, writer]) db.close();
});

test('a reader that closes leaves the log to those that are still open', () => {
  const files = new LimitedFiles();
  const open = opener(files.files);
  const writer = open('writer');
  writer.exec('CREATE TABLE a (x)');
  for (let n = 0; n < 20; n++) {
    const reader = open('reader');
    writer.prepare('INSERT INTO a VALUES (?)').run([n]);
    expect(reader.prepare('SELECT count(*) FROM a').get()).toEqual([n + 1]);
    reader.close();
  }
  writer.close();
  const again = opener(files.copy().files)('writer');
  expect(again.prepare('SELECT count(*), sum(x) FROM a').get()).toEqual([20, 190]);
  again.close();
});

test('two that write one after the other both do; at the same time the second is refused', () => {
  const open = opener(new MemoryFiles());
  const [one, other] = [open('writer'), open('writer')];
  one.exec('CREATE TABLE a (x)');
  other.exec('INSERT INTO a VALUES (1)');
  one.exec('BEGIN IMMEDIATE');
  expect(() => other.exec('BEGIN IMMEDIATE')).toThrow(
    expect.objectContaining({ sqliteCode: 'SQLITE_BUSY' }),
  );
  one.exec('INSERT INTO a VALUES (2); COMMIT');
  other.exec('INSERT INTO a VALUES (3)');
  expect(one.prepare('SELECT group_concat(x) FROM a').get()).toEqual(['1,2,3']);
  for (const db of [one, other]) db.close();
});

test('whenever the thread dies, every transaction that was acknowledged is there, and no other in part', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 60; round++) {
    const files = new LimitedFiles();
    const writer = opener(files.files)('writer', 50_000);
    writer.exec('CREATE TABLE a (n, x); CREATE INDEX b ON a (x); PRAGMA wal_autocheckpoint = 20');
    // From some write on, and from the middle of it, nothing reaches the file any more.
    files.room = random.int(2_000_000);
    let acknowledged = 0;
    try {
      for (let n = 1; n <= 60; n++) {
        writer.exec('BEGIN');
        for (let row = 0; row < 10; row++) {
          writer.prepare('INSERT INTO a VALUES (?, randomblob(1000))').run([n]);
        }
        writer.exec('COMMIT');
        acknowledged = n;
      }
    } catch {
      // What is dead says nothing.
    }
    const again = opener(files.copy().files)('writer');
    const counts = again.prepare('SELECT n, count(*) FROM a GROUP BY n ORDER BY n').all();
    const told = `seed ${seed}, round ${round}`;
    expect(again.prepare('PRAGMA integrity_check').get(), told).toEqual(['ok']);
    expect(
      counts.every(([, rows]) => rows === 10),
      told,
    ).toBe(true);
    expect(counts.length, told).toBeGreaterThanOrEqual(acknowledged);
    again.close();
    writer.close();
  }
});

test('storage that is used up fails the transaction with STORAGE_FULL, and nothing else', () => {
  const files = new LimitedFiles();
  const open = opener(files.files);
  const writer = open('writer', 50_000);
  writer.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1)');
  files.room = 100_000;
  writer.exec('BEGIN');
  const fill = () => {
    for (let n = 0; n < 1000; n++) writer.exec('INSERT INTO a VALUES (randomblob(5000))');
    writer.exec('COMMIT');
  };
  expect(fill).toThrow(
    expect.objectContaining({ code: 'STORAGE_FULL', sqliteCode: 'SQLITE_FULL' }),
  );
  if (writer.inTransaction) writer.exec('ROLLBACK');
  expect(writer.prepare('SELECT x FROM a').all()).toEqual([[1]]);
  files.room = Infinity;
  writer.exec('INSERT INTO a VALUES (2)');
  writer.close();
  const again = opener(files.copy().files)('writer');
  expect(again.prepare('SELECT x FROM a').all()).toEqual([[1], [2]]);
  again.close();
});
