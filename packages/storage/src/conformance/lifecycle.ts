import { must } from '@sluice/base';
import { describe, expect, test } from 'vitest';
import type { BucketStorage, RowChange } from '../contract.ts';
import { newGeneration, output, put, remove, row, Session } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeLifecycle(target: StorageTarget): void {
  describe('after disposal', () => {
    test('storage, writers and readers refuse work', async () => {
      const session = await Session.on(await target.open());
      const { opId } = await session.commit([put('a', '1', 'b')]);
      await session.close();
      const closed = { code: 'STORAGE_CLOSED' };
      const { storage, writer, reader, generation } = session;
      const refused: (() => Promise<unknown>)[] = [
        () => storage.generations(),
        () => storage.createGeneration(newGeneration()),
        () => storage.takeFillNumber(),
        () => storage.setSourceHandle(generation.id, 'x'),
        () => storage.openWriter(generation.id),
        () => storage.openReader(generation.id),
        () => storage.writeCheckpoints.create('u', 'A'),
        () => storage.writeCheckpoints.reached(['u'], 'A'),
        () => writer.progress(),
        () => writer.write({ changes: [], resume: 'r' }),
        () => writer.loadCopies([]),
        () => writer.compact({ maxMs: 10 }),
        () => writer.discard({ prefixes: ['b'], tables: [1] }, { maxMs: 10 }),
        () => reader.bucketStates(['b'], opId),
        () => reader.readOps({ bucket: 'b', after: 0n, upTo: opId, maxBytes: 10 }),
        () => reader.lookup(['k'], opId),
      ];
      for (const work of refused) {
        await expect(work(), work.toString()).rejects.toMatchObject(closed);
      }
    });

    test('disposing again does no harm', async () => {
      const session = await Session.on(await target.open());
      await session.close();
      await session.close();
    });
  });

  describePersistence(
    'after opening again',
    target,
    target.reopen &&
      (async (storage) => {
        await storage[Symbol.asyncDispose]();
        return must(target.reopen)(storage);
      }),
  );
  describePersistence('after a crash', target, target.crash);
}

function describePersistence(
  title: string,
  target: StorageTarget,
  again: ((storage: BucketStorage) => Promise<BucketStorage>) | undefined,
): void {
  if (again === undefined) return;
  test(`${title} everything is as it was`, async () => {
    const before = await Session.on(await target.open());
    const changes = firstChanges();
    const checkpoint = await before.commit(changes, {
      activate: true,
      resume: 'here',
      tables: [{ id: 1, state: 's' }],
    });
    await before.storage.writeCheckpoints.create('u', 'A');
    const received = (await before.client('b')).received;
    const generations = await before.storage.generations();

    const storage = await again(before.storage);
    expect(await storage.generations()).toEqual(generations);
    const after = await Session.on(storage, must(generations[0]));
    try {
      expect(await after.writer.progress()).toEqual({
        resume: 'here',
        tables: [{ id: 1, state: 's' }],
        checkpoint,
      });
      expect(after.reader.checkpoint()).toEqual(checkpoint);
      expect((await after.client('b')).received).toEqual(received);
      await expectGoesOn(after, changes);
    } finally {
      await after.close();
    }
  });
}

function firstChanges(): RowChange[] {
  const lookups = [{ key: 'k', values: '[1]' }];
  return [
    { ...put('a', '1', 'b'), copy: Uint8Array.of(7) },
    put('c', '1', 'b'),
    remove('gone', true),
    { kind: 'put', tableId: 1, key: 'l', row: { outputs: [], lookups } },
    { kind: 'add-copy', tableId: 2, key: 'n', row: row([output('n', 'n', '1', 'b')]) },
  ];
}

/** Rows, tombstones, copies, lookups, op ids and write checkpoints are known as before. */
async function expectGoesOn(session: Session, changes: readonly RowChange[]): Promise<void> {
  const known = must(session.reader.checkpoint());
  expect([...must((await session.writer.loadCopies([{ tableId: 1, key: 'a' }]))[0])]).toEqual([7]);
  expect((await session.reader.lookup(['k'], known.opId)).get('k')).toEqual(['[1]']);
  const absent: RowChange = { ...put('gone', '1', 'b'), ifAbsent: true };
  await session.commit([...changes.slice(0, 2), absent], { checkpoint: 'q1' });
  expect((await session.client('b')).received).toHaveLength(3);
  const copyLess: RowChange = { kind: 'remove-copy', tableId: 2, key: 'n' };
  const next = await session.commit([put('a', '2', 'b'), remove('c'), copyLess], {
    checkpoint: 'q2',
  });
  expect(next.opId > known.opId).toBe(true);
  expect(await session.rows('b')).toEqual(['t/a=2']);
  expect(await session.storage.writeCheckpoints.create('u', 'B')).toBe(2n);
}
