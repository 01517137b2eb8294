import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GenerationWriter, RowChange } from '@sluice/storage';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-upkeep-'));

afterAll(() => rmSync(root, { recursive: true }));

const newFile = () => path.join(mkdtempSync(path.join(root, 'db-')), 'buckets.db');

function put(key: string, buckets: readonly string[], values = '[]'): RowChange {
  const outputs = [{ objectType: 't', objectId: key, data: '{}', buckets }];
  const lookups = [{ key: 'k', values }];
  return { kind: 'put', tableId: 1, key, row: { outputs, lookups } };
}

/** Rows left in each table that has some. */
function rowCounts(file: string): Readonly<Record<string, number>> {
  const db = new SqliteDatabase(file, { readonly: true });
  const tables = db
    .prepare<[], string>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sequence'
       AND name NOT LIKE 'sqlite_%'`,
    )
    .pluck()
    .all();
  const counts = tables.map((table) => {
    return [
      table,
      db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0,
    ] as const;
  });
  db.close();
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** Segments that no bucket has. */
function orphans(file: string): number {
  const db = new SqliteDatabase(file, { readonly: true });
  const query = 'SELECT count(*) FROM segments WHERE bucket_id NOT IN (SELECT id FROM buckets)';
  const count = db.prepare<[], number>(query).pluck().get() ?? 0;
  db.close();
  return count;
}

async function compactAll(writer: GenerationWriter): Promise<void> {
  while ((await writer.compact({ maxMs: 100 })).more);
}

describe('compaction', () => {
  it('lets writes of its own thread in between, long before it is done', async () => {
    await using storage = await openSqliteStorage({ path: newFile() });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    for (let round = 0; round < 20; round += 1) {
      const changes = Array.from({ length: 2000 }, (_, i): RowChange => {
        const outputs = [
          { objectType: 't', objectId: `${i}`, data: `{"r":${round}}`, buckets: ['b'] },
        ];
        return { kind: 'put', tableId: 1, key: `${i}`, row: { outputs, lookups: [] } };
      });
      await writer.write({ changes, resume: '', checkpoint: `${round}` });
    }
    const events: string[] = [];
    const compacting = writer.compact({ maxMs: 60_000 }).then(() => events.push('compacted'));
    const write = { changes: [put('new', ['b'])], resume: '', checkpoint: 'x' };
    await writer.write(write);
    events.push('written');
    await compacting;
    expect(events).toEqual(['written', 'compacted']);
  });
});

describe('closed lookup entries', () => {
  it('stay for a minute, for readers that are still at an older checkpoint', async () => {
    const file = newFile();
    let now = 0;
    await using storage = await openSqliteStorage({ path: file, nowMs: () => now });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    await using reader = await storage.openReader(id);
    const old = await writer.write({
      changes: [put('1', [], '["a"]')],
      resume: '',
      checkpoint: '1',
    });
    await writer.write({ changes: [put('1', [], '["b"]')], resume: '', checkpoint: '2' });
    const valuesThen = async () => (await reader.lookup(['k'], old?.opId ?? 0n)).get('k');

    await compactAll(writer);
    now = 59_000;
    await compactAll(writer);
    expect(await valuesThen()).toEqual(['["a"]']);
    now = 60_000;
    await compactAll(writer);
    expect(await valuesThen()).toBeUndefined();
    expect(rowCounts(file)['lookups']).toBe(1);
  });
});

describe('the removal of a generation', () => {
  it('goes on where an interrupted one stopped, and leaves nothing of it', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const [going, staying] = [
      await storage.createGeneration(NEW_GENERATION),
      await storage.createGeneration(NEW_GENERATION),
    ];
    for (const { id } of [going, staying]) {
      await using writer = await storage.openWriter(id);
      const changes = Array.from({ length: 3000 }, (_, n) => put(`${n}`, [`b${n % 700}`]));
      await writer.write({ changes, resume: '', checkpoint: '1', tables: [{ id: 1, state: '' }] });
    }
    const before = rowCounts(file);
    const stopped = storage.deleteGeneration(going.id, AbortSignal.abort());
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect((await storage.generations()).map(({ id }) => id)).toEqual([staying.id]);
    await expect(storage.openReader(going.id)).rejects.toMatchObject({
      code: 'STORAGE_GENERATION_GONE',
    });
    await storage.deleteGeneration(going.id);
    await storage.deleteGeneration(going.id);
    const half = Object.entries(before).map(([table, count]) => {
      return [table, table === 'counters' ? count : count / 2];
    });
    expect(rowCounts(file)).toEqual(Object.fromEntries(half));
  });
});

describe('discarding', () => {
  const write = (writer: GenerationWriter, changes: readonly RowChange[], checkpoint: string) =>
    writer.write({ changes, resume: '', checkpoint });

  it('leaves nothing of what it was told to remove, and all of the rest', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    await write(writer, [put('kept', ['kept#b'])], '1');
    const { row_state_log: waiting, ...before } = rowCounts(file);
    expect(waiting).toBe(1);
    const rows = Array.from({ length: 2000 }, (_, n): RowChange => {
      const outputs = [{ objectType: 't', objectId: `${n}`, data: '{}', buckets: [`old#${n}`] }];
      const row = { outputs, lookups: [{ key: `old#${n}`, values: '[]' }] };
      return { kind: 'put', tableId: 2, key: `${n}`, row, copy: Buffer.from('copy') };
    });
    await write(writer, rows, '2');
    while ((await writer.discard({ prefixes: ['old#'], tables: [2] }, { maxMs: 5 })).more);
    expect(rowCounts(file)).toEqual({ ...before, row_states: 1, discards: 1, deltas: 2 });
  });

  it('what an earlier call left is finished by one that asks for nothing', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    const names = Array.from({ length: 2000 }, (_, n) => `old#${n}`);
    await write(writer, [put('a', names)], '1');
    await writer.discard({ prefixes: ['old#'], tables: [] }, { maxMs: 0 });
    expect(rowCounts(file)['segments']).toBe(2000);
    await writer[Symbol.asyncDispose]();
    await using later = await storage.openWriter(id);
    while ((await later.discard({ prefixes: [], tables: [] }, { maxMs: 100 })).more);
    const { segments, buckets, nameless_buckets: nameless } = rowCounts(file);
    expect([segments, buckets, nameless]).toEqual([undefined, undefined, undefined]);
  });

  it('ends the compaction of a bucket that goes, in the middle of its pass', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    for (let round = 0; round < 5; round++) {
      const changes = Array.from({ length: 4000 }, (_, n) => put(`${n}`, ['old#b', 'b']));
      await write(writer, changes, `${round}a`);
      await write(writer, [{ kind: 'truncate', tableId: 1 }], `${round}b`);
    }
    const done = await writer.compact({ maxMs: 0 });
    expect(done.more).toBe(true);
    while ((await writer.discard({ prefixes: ['old#'], tables: [] }, { maxMs: 5 })).more);
    await compactAll(writer);
    expect(rowCounts(file)).toMatchObject({ buckets: 1, segments: 1 });
    expect(orphans(file)).toBe(0);
  });

  it('leaves nothing to compact of a bucket that has lost its name', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    for (let round = 0; round < 5; round++) {
      await write(writer, [put('1', ['old#b'])], `${round}a`);
      await write(writer, [{ kind: 'truncate', tableId: 1 }], `${round}b`);
    }
    await writer.discard({ prefixes: ['old#'], tables: [] }, { maxMs: 0 });
    await compactAll(writer);
    expect(orphans(file)).toBe(10);
  });

  it('goes with the removal of its generation when it was left half-done', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    const writer = await storage.openWriter(id);
    const names = Array.from({ length: 1000 }, (_, n) => `old#${n}`);
    await write(writer, [put('a', names)], '1');
    await writer.discard({ prefixes: ['old#'], tables: [] }, { maxMs: 0 });
    await writer[Symbol.asyncDispose]();
    await storage.deleteGeneration(id);
    expect(rowCounts(file)).toEqual({ counters: 1 });
  });
});

describe('compaction', () => {
  it('goes on in the next call where the time of the last one was over', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    for (let round = 0; round < 5; round++) {
      const changes = Array.from({ length: 4000 }, (_, n) => put(`${n}`, ['b'], `["${round}"]`));
      const puts = changes.map((change) => ({ ...change, kind: 'delete' }) as RowChange);
      await writer.write({ changes: [...changes, ...puts], resume: '', checkpoint: `${round}` });
    }
    let calls = 0;
    let dropped = 0;
    for (let more = true; more; calls++) {
      const report = await writer.compact({ maxMs: 0 });
      dropped += report.opsDropped;
      more = report.more;
    }
    expect(calls).toBeGreaterThan(5);
    expect(dropped).toBe(36_000);
    expect(rowCounts(file)['segments']).toBe(1);
  });
});
