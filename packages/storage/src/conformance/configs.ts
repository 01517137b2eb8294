import { must } from '@sluice/base';
import { describe, expect, test } from 'vitest';
import type { BucketStorage, Generation, GenerationConfigs } from '../contract.ts';
import { newGeneration, put, Session, storedConfig, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

const ALL: GenerationConfigs = {
  serving: storedConfig('streams: {a, b}', { h1: 'h1.1#', h2: 'h2.2#' }),
  next: storedConfig('streams: {b, c}', { h2: 'h2.2#', h3: 'h3.3#' }),
  previous: storedConfig('streams: {}'),
};

export function describeConfigs(target: StorageTarget): void {
  describe('sync configs of a generation', () => {
    test('are what it was created with, prefixes included', () =>
      withSession(target, async ({ storage }) => {
        const made = await storage.createGeneration({ configs: ALL, createdAtMs: 5 });
        expect(made).toMatchObject({ configs: ALL, createdAtMs: 5 });
        expect((await storage.generations()).at(-1)).toEqual(made);
      }));

    test('are replaced with a batch, as a whole, and of this generation alone', () =>
      withSession(target, async (session) => {
        const { storage } = session;
        const other = await storage.createGeneration(newGeneration('other'));
        const configs = async () => (await storage.generations()).map((one) => one.configs);
        await session.write([], { configs: ALL });
        expect(await configs()).toEqual([ALL, other.configs]);
        const { next, serving } = ALL;
        await session.commit([put('a', '1', 'b')], {
          configs: { serving: must(next), previous: serving },
        });
        const [now] = await configs();
        expect(now).toEqual({ serving: next, previous: serving });
        expect(now?.next).toBeUndefined();
        await session.commit([put('a', '2', 'b')]);
        expect(await configs()).toEqual([now, other.configs]);
      }));

    test('change nothing else of the generation', () =>
      withSession(target, async (session) => {
        await session.storage.setSourceHandle(session.generation.id, 'slot');
        await session.commit([], { activate: true, configs: ALL });
        expect(await session.storage.generations()).toEqual([
          { ...session.generation, state: 'active', sourceHandle: 'slot', configs: ALL },
        ]);
      }));

    test('are announced, with a checkpoint and without one', () =>
      withSession(target, async (session) => {
        const stop = new AbortController();
        const seen: string[] = [];
        for await (const [one] of session.storage.watchGenerations(stop.signal)) {
          const { serving, next } = must(one).configs;
          seen.push(`${serving.text} ${next?.text ?? '-'}`);
          const filling = { serving: storedConfig('a'), next: storedConfig('b') };
          if (seen.length === 1) await session.write([], { configs: filling });
          const switched = { serving: storedConfig('b'), previous: storedConfig('a') };
          if (seen.length === 2) await session.commit([], { configs: switched });
          if (seen.length === 3) stop.abort();
        }
        expect(seen).toEqual(['config -', 'a b', 'b -']);
      }));

    test('are there when they are announced no earlier than the checkpoint they came with', () =>
      withSession(target, async (session) => {
        const stop = new AbortController();
        await session.commit([put('a', '1', 'b')], { checkpoint: 'p1' });
        const announced = firstWith(session.storage, 'new', stop.signal);
        const configs = { serving: storedConfig('new') };
        const checkpoint = await session.commit([put('a', '2', 'b')], {
          checkpoint: 'p2',
          configs,
        });
        await announced;
        await using reader = await session.storage.openReader(session.generation.id);
        expect(reader.checkpoint()).toEqual(checkpoint);
        expect(reader.generation.configs).toEqual(configs);
        stop.abort();
      }));

    test('are not replaced by a batch that fails', () =>
      withSession(target, async (session) => {
        const broken = new Proxy(put('a', '1', 'b'), {
          get: (change, key) => {
            if (key === 'row') throw new Error('cannot be evaluated');
            return Reflect.get(change, key) as unknown;
          },
        });
        await expect(session.write([broken], { configs: ALL })).rejects.toThrow();
        expect(await session.storage.generations()).toEqual([session.generation]);
      }));
  });

  describe('fill numbers', () => {
    test('are never given out twice, whatever happens to generations', () =>
      withSession(target, async (session) => {
        const { storage, writer, reader } = session;
        const taken = [await storage.takeFillNumber(), await storage.takeFillNumber()];
        await writer[Symbol.asyncDispose]();
        await reader[Symbol.asyncDispose]();
        await storage.deleteGeneration(session.generation.id);
        await storage.createGeneration(newGeneration());
        taken.push(await storage.takeFillNumber());
        taken.push(...(await Promise.all([storage.takeFillNumber(), storage.takeFillNumber()])));
        expect(new Set(taken).size).toBe(5);
        for (const number of taken) expect(number).toSatisfy(isCount);
      }));

    for (const again of [target.reopen, target.crash]) {
      if (again === undefined) continue;
      const title = again === target.reopen ? 'opening again' : 'a crash';
      test(`go on after ${title}`, async () => {
        const session = await Session.on(await target.open());
        const numbers = [await session.storage.takeFillNumber()];
        await session.commit([], { configs: ALL });
        if (again === target.reopen) await session.close();
        await using storage = await again(session.storage);
        numbers.push(await storage.takeFillNumber(), await storage.takeFillNumber());
        expect(new Set(numbers).size).toBe(3);
        expect((await storage.generations())[0]?.configs).toEqual(ALL);
      });
    }
  });
}

/** A number that makes a short, readable prefix. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

async function firstWith(
  storage: BucketStorage,
  text: string,
  signal: AbortSignal,
): Promise<Generation | undefined> {
  for await (const generations of storage.watchGenerations(signal)) {
    const found = generations.find((one) => one.configs.serving.text === text);
    if (found !== undefined) return found;
  }
  return undefined;
}
