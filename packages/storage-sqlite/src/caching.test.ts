import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RowChange } from '@sluice/storage';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-cache-'));

afterAll(() => rmSync(root, { recursive: true }));

async function openNew() {
  const file = path.join(mkdtempSync(path.join(root, 'db-')), 'buckets.db');
  const storage = await openSqliteStorage({ path: file });
  const { id } = await storage.createGeneration(NEW_GENERATION);
  return { storage, writer: await storage.openWriter(id), reader: await storage.openReader(id) };
}

function put(key: string, data: string): RowChange {
  const outputs = [{ objectType: 't', objectId: key, data, buckets: ['b'] }];
  return { kind: 'put', tableId: 1, key, row: { outputs, lookups: [] } };
}

describe('what readers remember', () => {
  it('does not settle what was asked for beyond the newest checkpoint', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    const read = async () => {
      const request = { bucket: 'b', after: 0n, upTo: 100n, maxBytes: 1 << 20 };
      const [state] = await reader.bucketStates(['b'], 100n);
      return { ops: (await reader.readOps(request))?.opCount, count: state?.count };
    };
    await writer.write({ changes: [put('1', '1')], resume: '', checkpoint: '1' });
    expect(await read()).toEqual({ ops: 1, count: 1 });
    await writer.write({ changes: [put('2', '2')], resume: '', checkpoint: '2' });
    expect(await read()).toEqual({ ops: 2, count: 2 });
  });

  it('is served as the same object to all who ask for the same', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    for (const key of ['1', '2', '3']) {
      await writer.write({ changes: [put(key, 'x')], resume: '', checkpoint: key });
    }
    const request = { bucket: 'b', after: 0n, upTo: 3n, maxBytes: 1 << 20 };
    const [one, other] = [await reader.readOps(request), await reader.readOps(request)];
    expect(one?.parts).toHaveLength(1);
    expect(one?.opCount).toBe(3);
    expect(other?.parts[0]).toBe(one?.parts[0]);
    expect(other?.identity).toBe(one?.identity);
  });

  it('follows a compaction that puts a CLEAR behind a sum that is remembered', async () => {
    const { storage, writer, reader } = await openNew();
    await using _ = storage;
    await writer.write({ changes: [put('1', 'x'), put('2', 'x')], resume: '', checkpoint: '1' });
    await reader.bucketStates(['b'], 2n);
    const removals: RowChange[] = ['1', '2'].map((key) => ({ kind: 'delete', tableId: 1, key }));
    await writer.write({ changes: removals, resume: '', checkpoint: '2' });
    await reader.bucketStates(['other'], 4n); // the reader has heard of the checkpoint
    const fresh = await (await storage.openReader(1)).bucketStates(['b'], 4n);
    while ((await writer.compact({ maxMs: 100 })).more);
    const [state] = await reader.bucketStates(['b'], 4n);
    expect(state?.checksum).toBe(fresh[0]?.checksum);
    expect(state?.count).toBe(1);
  });

  it('bounds memory by the options', async () => {
    const file = path.join(mkdtempSync(path.join(root, 'db-')), 'buckets.db');
    await using storage = await openSqliteStorage({ path: file, segmentCacheBytes: 1 << 20 });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    const changes = Array.from({ length: 50 }, (_, n) => put(`${n}`, 'x'.repeat(100_000)));
    await writer.write({ changes, resume: '', checkpoint: '1' });
    await using reader = await storage.openReader(id);
    const request = { bucket: 'b', upTo: 50n, maxBytes: 1 };
    const first = await reader.readOps({ ...request, after: 0n });
    for (let after = 1n; after < 50n; after++) await reader.readOps({ ...request, after });
    const again = await reader.readOps({ ...request, after: 0n });
    expect(again).toEqual(first);
    expect(again?.identity).not.toBe(first?.identity);
  });
});
