import { describe, expect, test } from 'vitest';
import { DeadLetters } from '../crud/dead-letters.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import { SessionWorld } from '../testing/session-world.ts';

const INSERT = (id: string) => `INSERT INTO lists (id, name) VALUES ('${id}', 'n')`;

/** A world whose streams never open, as uploads do not need them. */
function offlineWorld(): SessionWorld {
  const world = new SessionWorld();
  world.service.refusals.push(...Array.from({ length: 1000 }, () => undefined));
  return world;
}

/** Attempts so far, and in how many milliseconds the next one is. */
function attempts({ status, clock }: SessionWorld): readonly unknown[] {
  const { uploadAttempts, nextUploadAt } = status;
  return [uploadAttempts, nextUploadAt && nextUploadAt.getTime() - clock.now()];
}

// spec/client.md 1.4
describe('attempts to upload', () => {
  test('are counted while they fail, with the time of the next one, and are none after a success', async () => {
    const world = offlineWorld();
    let calls = 0;
    world.uploadData = async (queue) => {
      calls += 1;
      if (calls < 4) throw new Error('down');
      queue.batch()?.complete();
    };
    expect(attempts(world)).toEqual([0, undefined]);
    world.write(INSERT('a'));
    await world.connect();
    expect(attempts(world)).toEqual([1, 500]);
    await world.clock.advance(200);
    expect(attempts(world)).toEqual([1, 300]);
    await world.clock.advance(300);
    expect(attempts(world)).toEqual([2, 1_000]);
    await world.clock.advance(1_000);
    expect(attempts(world)).toEqual([3, 2_000]);
    await world.clock.advance(2_000);
    expect(attempts(world)).toEqual([0, undefined]);
    expect(world.created.queue.batch()).toBeUndefined();
  });

  test('while one is under way, none is planned', async () => {
    const world = offlineWorld();
    let fail: (error: Error) => void = () => undefined;
    world.uploadData = () => new Promise((_, reject) => (fail = reject));
    world.write(INSERT('a'));
    await world.connect();
    fail(new Error('down'));
    await world.clock.advance(500);
    expect(world.status.uploading).toBe(true);
    expect(attempts(world)).toEqual([1, undefined]);
    fail(new Error('down'));
    await world.clock.advance(0);
    expect(attempts(world)).toEqual([2, 1_000]);
  });

  test('count for the oldest entry: another one begins anew', async () => {
    const world = offlineWorld();
    const letters = new DeadLetters(world.database.connection);
    const answers: Record<string, EntryOutcome> = { a: { kind: 'retry' } };
    world.uploadData = async (queue) => {
      const entries = queue.batch()?.crud ?? [];
      const told = entries.map(
        ({ clientId, id }) => [clientId, answers[id] ?? { kind: 'ok' }] as const,
      );
      return letters.settle(entries, new Map(told), world.clock.now());
    };
    world.write(INSERT('a'));
    world.write(INSERT('b'));
    await world.connect();
    expect(attempts(world)).toEqual([1, 500]);
    await world.clock.advance(500);
    expect(attempts(world)).toEqual([2, 1_000]);
    // From now on it is taken, and the other one is not.
    world.write(INSERT('c'));
    answers['a'] = { kind: 'ok' };
    answers['c'] = { kind: 'retry', afterMs: 7_000 };
    await world.clock.advance(1_000);
    expect(attempts(world)).toEqual([1, 7_000]);
    await world.clock.advance(7_000);
    expect(attempts(world)).toEqual([2, 7_000]);
  });

  test('an app that completes nothing is counted as well, and asked less and less often', async () => {
    const world = offlineWorld();
    world.uploadData = () => Promise.resolve();
    world.write(INSERT('a'));
    await world.connect();
    await world.clock.advance(500);
    expect(attempts(world)).toEqual([2, 1_000]);
  });

  test('a write checkpoint that cannot be had is counted by itself', async () => {
    const world = offlineWorld();
    world.service.down = true;
    world.write(INSERT('a'));
    await world.connect();
    expect(attempts(world)).toEqual([1, 500]);
    world.service.down = false;
    await world.clock.advance(500);
    expect(attempts(world)).toEqual([0, undefined]);
  });

  test('are none, and none is planned, while nobody is connected', async () => {
    const world = offlineWorld();
    world.uploadData = () => Promise.reject(new Error('down'));
    world.write(INSERT('a'));
    await world.connect();
    expect(attempts(world)).toEqual([1, 500]);
    await world.session.disconnect();
    expect(attempts(world)).toEqual([0, undefined]);
  });
});
