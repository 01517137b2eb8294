import { describe, expect, test } from 'vitest';
import type { Generation } from '../contract.ts';
import { newGeneration, put, Session, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeGenerations(target: StorageTarget): void {
  describe('generations', () => {
    test('are listed oldest first and begin as preparing, with what they were made of', () =>
      withSession(target, async ({ storage, generation }) => {
        const second = await storage.createGeneration(newGeneration('other'));
        expect(second).toMatchObject({ state: 'preparing', ...newGeneration('other') });
        expect(second.sourceHandle).toBeUndefined();
        expect(await storage.generations()).toEqual([generation, second]);
        expect(second.id).not.toBe(generation.id);
      }));

    test('remember the handle of their source', () =>
      withSession(target, async ({ storage, generation }) => {
        await storage.setSourceHandle(generation.id, 'slot_1');
        expect(await storage.generations()).toEqual([{ ...generation, sourceHandle: 'slot_1' }]);
      }));

    test('become active with a checkpoint, which retires the one before', () =>
      withSession(target, async (first) => {
        await first.commit([put('a', '1', 'b')], { activate: true });
        const second = await Session.on(first.storage);
        await second.commit([put('a', '1', 'b')]);
        const states = async () => (await first.storage.generations()).map((one) => one.state);
        expect(await states()).toEqual(['active', 'preparing']);
        await second.commit([], { activate: true, checkpoint: 'q' });
        expect(await states()).toEqual(['retired', 'active']);
      }));

    test('share one sequence of op ids, so that a switch never goes back', () =>
      withSession(target, async (first) => {
        const second = await Session.on(first.storage);
        await second.commit([put('a', '1', 'b')]);
        const before = await first.commit([put('a', '1', 'b'), put('c', '1', 'b')]);
        const after = await second.commit([put('d', '1', 'b')], { checkpoint: 'q' });
        expect(after.opId > before.opId).toBe(true);
        const one = await first.client('b');
        const two = await second.client('b');
        const ids = [...one.received, ...two.received].map((op) => op.opId);
        expect(new Set(ids).size).toBe(4);
      }));

    test('keep their buckets, rows and lookups apart', () =>
      withSession(target, async (first) => {
        const second = await Session.on(first.storage);
        await first.commit([put('a', 'one', 'b')]);
        await second.commit([put('a', 'two', 'b')]);
        expect(await first.rows('b')).toEqual(['t/a=one']);
        expect(await second.rows('b')).toEqual(['t/a=two']);
      }));

    test('are gone once deleted, however often that is asked', () =>
      withSession(target, async (session) => {
        const { storage, generation } = session;
        await session.commit([put('a', '1', 'b')]);
        await session.writer[Symbol.asyncDispose]();
        await session.reader[Symbol.asyncDispose]();
        await storage.deleteGeneration(generation.id);
        await storage.deleteGeneration(generation.id);
        expect(await storage.generations()).toEqual([]);
        const gone = { code: 'STORAGE_GENERATION_GONE' };
        await expect(storage.openReader(generation.id)).rejects.toMatchObject(gone);
        await expect(storage.openWriter(generation.id)).rejects.toMatchObject(gone);
        const next = await storage.createGeneration(newGeneration());
        expect(next.id).not.toBe(generation.id);
      }));

    test('are watched from the present state on', () =>
      withSession(target, async (session) => {
        const { storage } = session;
        const stop = new AbortController();
        const wanted = ['preparing', 'preparing+preparing', 'active+preparing', 'preparing'];
        const seen: string[] = [];
        for await (const generations of storage.watchGenerations(stop.signal)) {
          const states = generations.map((one: Generation) => one.state).join('+');
          if (states !== wanted[seen.length]) continue;
          seen.push(states);
          if (seen.length === 1) await storage.createGeneration(newGeneration('b'));
          if (seen.length === 2) await session.commit([], { activate: true });
          if (seen.length === 3) {
            await session.writer[Symbol.asyncDispose]();
            await session.reader[Symbol.asyncDispose]();
            await storage.deleteGeneration(session.generation.id);
          }
          if (seen.length === wanted.length) stop.abort();
        }
        expect(seen).toEqual(wanted);
      }));

    const { second } = target;
    if (second === undefined) return;
    test('are written by one process at a time', () =>
      withSession(target, async (session) => {
        await using other = await second(session.storage);
        const opening = other.openWriter(session.generation.id);
        await expect(opening).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
        await using reader = await other.openReader(session.generation.id);
        expect(reader.checkpoint()).toEqual(session.reader.checkpoint());
      }));
  });
}
