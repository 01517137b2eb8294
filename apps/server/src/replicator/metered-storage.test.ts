import { FakeClock, MemoryStorage } from '@sluice/testing';
import type { RowChange } from '@sluice/storage';
import { expect, it } from 'vitest';
import { MeteredStorage } from './metered-storage.ts';
import { addMeters, takeMeters, zeroMeters } from './meters.ts';

const CONFIG = { text: '', hash: '', prefixes: {}, deployedAtMs: 0 };
const NEW_GENERATION = { configs: { serving: CONFIG }, createdAtMs: 0 };

function put(key: string): RowChange {
  const outputs = [{ objectType: 't', objectId: key, data: '{}', buckets: ['a', 'b'] }];
  return { kind: 'put', tableId: 1, key, row: { outputs, lookups: [] } };
}

it('counts what writers do over all generations, operations once', async () => {
  const meters = zeroMeters();
  const { storage } = new MeteredStorage(new MemoryStorage(), meters, new FakeClock());
  for (const position of ['1', '2']) {
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    await writer.write({ changes: [put('x'), put('y')], resume: '', checkpoint: position });
    await writer.write({ changes: [], resume: '' });
    await writer.compact({ maxMs: 1 });
  }
  expect(meters).toMatchObject({
    rowChanges: 4,
    batches: 4,
    checkpoints: 2,
    operations: 8, // each row in two buckets
    compactionSlices: 2,
  });
});

it('knows since when a call is under way', async () => {
  const clock = new FakeClock(5000);
  const inner = new MemoryStorage();
  const metered = new MeteredStorage(inner, zeroMeters(), clock);
  const { id } = await metered.storage.createGeneration(NEW_GENERATION);
  await using writer = await metered.storage.openWriter(id);
  expect(metered.busySinceMs).toBeUndefined();
  const writing = writer.write({ changes: [put('x')], resume: '' });
  expect(metered.busySinceMs).toBe(5000);
  await writing;
  expect(metered.busySinceMs).toBeUndefined();
});

it('reports are differences, which add up over threads that come and go', () => {
  const [total, thread] = [zeroMeters(), zeroMeters()];
  thread.batches = 3;
  addMeters(total, takeMeters(thread));
  addMeters(total, takeMeters(thread));
  thread.batches += 2;
  addMeters(total, takeMeters(thread));
  expect(total.batches).toBe(5);
});
