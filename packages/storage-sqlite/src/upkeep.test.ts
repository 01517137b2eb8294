import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GenerationWriter, RowChange } from '@sluice/storage';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-upkeep-'));
const input = { configText: '', configHash: '', createdAtMs: 0 };

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

async function compactAll(writer: GenerationWriter): Promise<void> {
  while ((await writer.compact({ maxMs: 100 })).more);
}

describe('closed lookup entries', () => {
  it('stay for a minute, for readers that are still at an older checkpoint', async () => {
    const file = newFile();
    let now = 0;
    await using storage = await openSqliteStorage({ path: file, nowMs: () => now });
    const { id } = await storage.createGeneration(input);
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
      await storage.createGeneration(input),
      await storage.createGeneration(input),
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
    const half = Object.entries(before).map(([table, count]) => [table, count / 2]);
    expect(rowCounts(file)).toEqual(Object.fromEntries(half));
  });
});

describe('compaction', () => {
  it('goes on in the next call where the time of the last one was over', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    const { id } = await storage.createGeneration(input);
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
