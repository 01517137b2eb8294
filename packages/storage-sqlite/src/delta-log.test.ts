import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GenerationWriter, RowChange } from '@sluice/storage';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-delta-'));

afterAll(() => rmSync(root, { recursive: true }));

async function openNew() {
  const file = path.join(mkdtempSync(path.join(root, 'db-')), 'buckets.db');
  const storage = await openSqliteStorage({ path: file });
  const { id } = await storage.createGeneration(NEW_GENERATION);
  return { storage, writer: await storage.openWriter(id), reader: await storage.openReader(id) };
}

function put(key: string, bucket: string, data = '{}'): RowChange {
  const outputs = [{ objectType: 't', objectId: key, data, buckets: [bucket] }];
  return { kind: 'put', tableId: 1, key, row: { outputs, lookups: [] } };
}

async function commit(writer: GenerationWriter, n: number, changes: readonly RowChange[]) {
  await writer.write({ changes, resume: '', checkpoint: String(n).padStart(6, '0') });
}

describe('the log of changes', () => {
  it('merges what a slow watcher missed', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    const deltas = reader.watch(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    for (let n = 0; n < 900; n++) await commit(writer, n, [put(`${n}`, `b${n % 3}[]`)]);
    const { value } = await deltas.next();
    expect(value).toMatchObject({ buckets: new Set(['b0[]', 'b1[]', 'b2[]']) });
  });

  it('says all to a watcher that lags further than is kept', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    const deltas = reader.watch(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    for (let n = 0; n < 1100; n++) await commit(writer, n, [put(`${n}`, 'b[]')]);
    const { value } = await deltas.next();
    expect(value).toMatchObject({ buckets: 'all', lookups: 'all' });
    await commit(writer, 2000, [put('more', 'c[]')]);
    expect((await deltas.next()).value).toMatchObject({ buckets: new Set(['c[]']) });
  });

  it('says all where a batch changed more buckets than can be listed', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    const deltas = reader.watch(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    const many = Array.from({ length: 50_001 }, (_unused, n) => put(`${n}`, `b${n}[]`));
    await commit(writer, 1, many);
    expect((await deltas.next()).value).toMatchObject({ buckets: 'all', lookups: new Set() });
  });

  it('names buckets of a batch that waited for its checkpoint while others were compacted', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    for (let n = 0; n < 50; n++) await commit(writer, n, [put('same', 'old[]', `{"n":${n}}`)]);
    await writer.write({ changes: [put('waits', 'waiting[]')], resume: '' });
    const deltas = reader.watch(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    const report = await writer.compact({ maxMs: 1000 });
    expect(report.opsDropped).toBeGreaterThan(0);
    await commit(writer, 51, [put('last', 'last[]')]);
    expect((await deltas.next()).value).toMatchObject({
      buckets: new Set(['waiting[]', 'last[]']),
    });
  });
});
