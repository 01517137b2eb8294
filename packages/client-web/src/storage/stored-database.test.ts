import {
  ClientError,
  column,
  compileSchema,
  inProcessLock,
  Schema,
  systemClock,
  Table,
} from '@sluice/client';
import { expect, test } from 'vitest';
import type { LimitedFiles } from '../testing/limited-files.ts';
import { MemoryFolder } from '../testing/memory-folder.ts';
import { testModule } from '../testing/test-module.ts';
import { StorageRefused } from './opfs-folder.ts';
import { openStoredDatabase, type StoredDatabase } from './stored-database.ts';

const module = await testModule();
const schema = compileSchema(new Schema({ notes: new Table({ body: column.text }) }));

/** Starts of one app over one folder. */
class World {
  readonly folder = new MemoryFolder();
  readonly problems: ClientError[] = [];
  damageSeen = 0;

  open(isDamaged = false, openFolder = async () => this.folder): Promise<StoredDatabase> {
    return openStoredDatabase({
      module,
      openFolder,
      schema,
      platform: {
        clock: systemClock,
        random: Math.random,
        newId: () => crypto.randomUUID(),
        fetch: () => Promise.reject(new Error('There is no network')),
        openSocket: undefined,
        userAgent: 'test',
        uploadLock: inProcessLock(),
        onProblem: (problem) => {
          if (problem instanceof ClientError) this.problems.push(problem);
        },
      },
      isDamaged,
      onDamage: () => this.damageSeen++,
    });
  }

  /** A database with so many notes, all of them to be uploaded. */
  async filled(notes: number): Promise<LimitedFiles> {
    const opened = await this.open();
    const sets = Array.from({ length: notes }, (_, n) => [`n${n}`, `body ${n} ${'x'.repeat(500)}`]);
    await opened.engine.executeBatch('INSERT INTO notes (id, body) VALUES (?, ?)', sets);
    await opened.close();
    const files = this.folder.generations.get(1);
    if (files === undefined) throw new Error('It is in the folder');
    return files;
  }

  get codes(): readonly string[] {
    return this.problems.map(({ code }) => code);
  }
}

async function first(opened: StoredDatabase, sql: string): Promise<unknown> {
  return (await opened.engine.select(sql, [])).rows[0]?.[0];
}

/** Writes over the first page of a table. */
async function damageTable(world: World, files: LimitedFiles, table: string): Promise<void> {
  const opened = await world.open();
  const root = Number(
    await first(opened, `SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`),
  );
  const pageBytes = Number(await first(opened, 'PRAGMA page_size'));
  await opened.close();
  files.damage('data', (root - 1) * pageBytes, new Uint8Array(pageBytes).fill(0x5a));
}

test('what was written is there at the next start', async () => {
  const world = new World();
  await world.filled(3);
  const opened = await world.open();
  expect(opened.storage).toBe('kept');
  expect(await first(opened, 'SELECT count(*) FROM notes')).toBe(3);
  expect(world.problems).toEqual([]);
  await opened.close();
});

test('without files the database is in memory, and says so', async () => {
  const world = new World();
  const refuse = () => Promise.reject(new StorageRefused(new Error('on purpose')));
  const opened = await world.open(false, refuse);
  expect(opened.storage).toBe('memory');
  await opened.engine.execute(`INSERT INTO notes (id, body) VALUES ('a', 'b')`, []);
  expect(await first(opened, 'SELECT body FROM notes')).toBe('b');
  expect(world.codes).toEqual(['NOT_KEPT']);
  await opened.close();
});

test('a new database for which there is no place is in memory', async () => {
  const world = new World();
  world.folder.roomForNew = 20_000;
  const opened = await world.open();
  expect(opened.storage).toBe('memory');
  expect(world.codes).toContain('NOT_KEPT');
  await opened.close();
});

test('a database that is full stays, and takes writes again when there is place', async () => {
  const world = new World();
  const files = await world.filled(10);
  const opened = await world.open();
  const write = () => opened.engine.execute(`INSERT INTO notes (id, body) VALUES ('new', 'b')`, []);
  files.room = 0;
  await expect(write()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(await first(opened, 'SELECT count(*) FROM notes')).toBe(10);
  expect(await opened.engine.uploads.stats(false)).toMatchObject({ count: 10 });
  files.room = Infinity;
  await write();
  expect(await opened.engine.uploads.stats(false)).toMatchObject({ count: 11 });
  await opened.close();
});

test('damage at the start: another database takes its place, and keeps what waits for upload', async () => {
  const world = new World();
  const files = await world.filled(200);
  await damageTable(world, files, 'sluice_kv');
  const opened = await world.open();
  expect(world.codes).toEqual(['DATABASE_DAMAGED']);
  expect(await opened.engine.uploads.stats(false)).toMatchObject({ count: 200 });
  const batch = await opened.engine.uploads.batch({ limit: 1 });
  expect(batch?.crud[0]).toMatchObject({ id: 'n0', op: 'PUT', table: 'notes' });
  // Downloads wait for these uploads, and new writes go on behind them.
  expect(await first(opened, `SELECT value FROM sluice_kv WHERE key = 'target'`)).toBe(
    9223372036854775807n,
  );
  await opened.engine.execute(`INSERT INTO notes (id, body) VALUES ('new', 'b')`, []);
  expect(await first(opened, 'SELECT count(DISTINCT tx_id) FROM sluice_crud')).toBe(2);
  await opened.close();
  expect([...world.folder.generations.keys()]).toEqual([1, 2]);
  const again = await world.open();
  expect(await again.engine.uploads.stats(false)).toMatchObject({ count: 201 });
  expect(world.codes).toEqual(['DATABASE_DAMAGED']);
  await again.close();
});

test('damage that is found in use: is told once, and put aside when the database is opened anew', async () => {
  const world = new World();
  const files = await world.filled(50);
  await damageTable(world, files, 'notes');
  const opened = await world.open();
  const read = () => opened.engine.select('SELECT * FROM notes', []);
  await expect(read()).rejects.toMatchObject({ sqliteCode: 'SQLITE_CORRUPT' });
  await expect(read()).rejects.toMatchObject({ sqliteCode: 'SQLITE_CORRUPT' });
  expect(world.damageSeen).toBe(1);
  await opened.close();
  const again = await world.open(true);
  expect(await again.engine.uploads.stats(false)).toMatchObject({ count: 50 });
  expect(await first(again, 'SELECT count(*) FROM notes')).toBe(0);
  await again.close();
});

test('of a queue that is damaged itself, what is before and behind the damage is kept', async () => {
  const world = new World();
  const files = await world.filled(500);
  const opened = await world.open();
  const pageBytes = Number(await first(opened, 'PRAGMA page_size'));
  await opened.close();
  // Some page in the middle, all of which is the queue or the table.
  const size = files.files.open('data', false)?.size() ?? 0;
  const middle = Math.floor(size / pageBytes / 2) * pageBytes;
  files.damage('data', middle, new Uint8Array(pageBytes).fill(0x5a));
  const again = await world.open(true);
  const { count } = await again.engine.uploads.stats(false);
  expect(count).toBeGreaterThan(400);
  const ids = (await again.engine.select('SELECT id FROM sluice_crud ORDER BY id', [])).rows;
  expect([ids[0], ids.at(-1)]).toEqual([[1], [500]]);
  await again.close();
});

test('a file that is no database any more: a new one, and it is told that the queue is lost', async () => {
  const world = new World();
  const files = await world.filled(5);
  files.damage('data', 0, new Uint8Array(100).fill(0x5a));
  const opened = await world.open();
  expect(opened.storage).toBe('kept');
  expect(world.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('what waited for upload could not be read'),
  ]);
  await opened.close();
});

test('an end in the middle of it is made up for at the next start', async () => {
  const world = new World();
  const files = await world.filled(20);
  await damageTable(world, files, 'sluice_kv');
  world.folder.roomForNew = 60_000;
  await world.open().catch((error: unknown) => error);
  const begun = world.folder.generations.get(2);
  if (begun === undefined) throw new Error('It was begun');
  begun.room = Infinity;
  world.problems.length = 0;
  const opened = await world.open();
  expect(await opened.engine.uploads.stats(false)).toMatchObject({ count: 20 });
  expect(world.codes).toEqual(['DATABASE_DAMAGED']);
  await opened.close();
});
