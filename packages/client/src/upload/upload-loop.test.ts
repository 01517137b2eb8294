import { describe, expect, test } from 'vitest';
import { DeadLetters } from '../crud/dead-letters.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import { CLIENT_ID, SessionWorld } from '../testing/session-world.ts';
import { inProcessLock } from './upload-lock.ts';

const INSERT = (n: number) => `INSERT INTO lists (id, name) VALUES ('N${n}', 'n')`;
const GET = `GET /write-checkpoint2.json?client_id=${CLIENT_ID}`;
const post = (id: number) =>
  `POST /sync/checkpoint-request {"client_id":"${CLIENT_ID}","checkpoint_request_id":"${id}"}`;

/** A world whose streams never open, as uploads do not need them. */
function offlineWorld(): SessionWorld {
  const world = new SessionWorld();
  world.service.refusals.push(...Array.from({ length: 1000 }, () => undefined));
  return world;
}

const target = (world: SessionWorld) =>
  world.database.query(`SELECT value FROM sluice_kv WHERE key = 'target'`)[0]?.[0];

describe('rounds', () => {
  test('work without a download connection', async () => {
    const world = offlineWorld();
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.connected).toBe(false);
    expect(world.created.queue.batch()).toBeUndefined();
    expect(world.service.calls).toEqual([GET]);
    expect(target(world)).toBe(1);
  });

  test('begin a second apart; triggers in between make one more', async () => {
    const world = offlineWorld();
    const sizes: number[] = [];
    world.uploadData = async (queue) => {
      const batch = queue.batch();
      sizes.push(batch?.crud.length ?? 0);
      batch?.complete();
    };
    await world.connect();
    world.write(INSERT(1));
    world.write(INSERT(2));
    await world.clock.advance(999);
    expect(sizes).toEqual([]);
    await world.clock.advance(1);
    expect(sizes).toEqual([2]);
    world.write(INSERT(3));
    world.write(INSERT(4));
    await world.clock.advance(999);
    world.write(INSERT(5));
    await world.clock.advance(10_000);
    expect(sizes).toEqual([2, 3]);
  });

  test('upload entry after entry, in order, then ask for one write checkpoint', async () => {
    const world = offlineWorld();
    for (let n = 1; n <= 5; n += 1) world.write(INSERT(n));
    const ids: number[] = [];
    world.uploadData = async (queue) => {
      const transaction = queue.nextTransaction();
      ids.push(...(transaction?.crud.map(({ clientId }) => clientId) ?? []));
      transaction?.complete();
    };
    await world.connect();
    expect(ids).toEqual([1, 2, 3, 4, 5]);
    expect(world.service.calls).toEqual([GET]);
  });

  test('show that they upload', async () => {
    const world = offlineWorld();
    let finish: () => void = () => undefined;
    world.uploadData = async (queue) => {
      await new Promise<void>((resolve) => (finish = resolve));
      queue.batch()?.complete();
    };
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.uploading).toBe(true);
    finish();
    await world.clock.advance(0);
    expect(world.status.uploading).toBe(false);
  });

  test('end with the session, which waits for the app', async () => {
    const world = offlineWorld();
    let finish: () => void = () => undefined;
    world.uploadData = () => new Promise<void>((resolve) => (finish = resolve));
    world.write(INSERT(1));
    await world.connect();
    let ended = false;
    const done = world.session.disconnect().then(() => (ended = true));
    await world.clock.advance(1_000);
    expect(ended).toBe(false);
    finish();
    await done;
    await world.clock.advance(60_000);
    expect(world.created.queue.batch()?.crud).toHaveLength(1);
  });
});

describe('failures', () => {
  test('are tried again after delays that grow, and forgotten after a success', async () => {
    const world = offlineWorld();
    const times: number[] = [];
    const startedAt = world.clock.now();
    world.uploadData = async (queue) => {
      times.push(world.clock.now() - startedAt);
      if (times.length < 5) throw new Error('down');
      queue.batch()?.complete();
    };
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.uploadError).toMatchObject({
      code: 'UPLOAD',
      message: 'uploadData failed: down',
    });
    expect(world.status.uploading).toBe(false);
    await world.clock.advance(20_000);
    expect(times).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(world.status.uploadError).toBeUndefined();
  });

  test('a hint does not wait', async () => {
    const world = offlineWorld();
    let calls = 0;
    world.uploadData = () => Promise.reject(new Error(`down ${(calls += 1)}`));
    world.write(INSERT(1));
    await world.connect();
    await world.clock.advance(100);
    world.session.hint();
    await world.clock.advance(0);
    expect(calls).toBe(2);
  });

  test('an app that completes nothing is told so, and asked again', async () => {
    const world = offlineWorld();
    let calls = 0;
    world.uploadData = () => Promise.resolve(void (calls += 1));
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.uploadError?.code).toBe('NOTHING_COMPLETED');
    expect(calls).toBe(1);
    await world.clock.advance(500);
    expect(calls).toBe(2);
  });

  test('a write checkpoint that cannot be had is asked for again', async () => {
    const world = offlineWorld();
    world.service.down = true;
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.uploadError?.code).toBe('NETWORK');
    expect(target(world)).toBe(9223372036854775807n);
    world.service.down = false;
    await world.clock.advance(500);
    expect(target(world)).toBe(1);
    expect(world.status.uploadError).toBeUndefined();
  });
});

describe('a backend that answers entry by entry', () => {
  function answering(world: SessionWorld, answer: (id: string) => EntryOutcome | undefined) {
    const letters = new DeadLetters(world.database.connection);
    world.uploadData = async (queue) => {
      const entries = queue.batch()?.crud ?? [];
      const told = entries.map(({ clientId, id }) => [clientId, answer(id)] as const);
      const outcomes = told.filter((each): each is [number, EntryOutcome] => each[1] !== undefined);
      return letters.settle(entries, new Map(outcomes), world.clock.now());
    };
    return letters;
  }

  test('refuses one without stopping the others', async () => {
    const world = offlineWorld();
    const letters = answering(world, (id) =>
      id === 'N2' ? { kind: 'reject', reason: 'no' } : { kind: 'ok' },
    );
    for (let n = 1; n <= 3; n += 1) world.write(INSERT(n));
    await world.connect();
    expect(world.created.queue.batch()).toBeUndefined();
    expect(letters.list()).toMatchObject([
      { state: 'rejected', reason: 'no', entry: { id: 'N2' } },
    ]);
    expect(world.service.calls).toEqual([GET]);
    expect(world.status.uploadError).toBeUndefined();
  });

  test('is asked again when it says', async () => {
    const world = offlineWorld();
    let calls = 0;
    answering(world, () => {
      calls += 1;
      return calls === 1 ? { kind: 'retry', afterMs: 30_000 } : { kind: 'ok' };
    });
    world.write(INSERT(1));
    await world.connect();
    await world.clock.advance(29_999);
    expect([calls, world.status.uploading, world.status.uploadError]).toEqual([
      1,
      false,
      undefined,
    ]);
    await world.clock.advance(1);
    expect(calls).toBe(2);
    expect(world.created.queue.batch()).toBeUndefined();
  });

  test('that does not say when is asked again after delays that grow', async () => {
    const world = offlineWorld();
    const calledAt: number[] = [];
    answering(world, () => {
      calledAt.push(world.clock.elapsed());
      return { kind: 'retry' };
    });
    world.write(INSERT(1));
    await world.connect();
    await world.clock.advance(4_000);
    const gaps = calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? 0));
    expect(gaps).toEqual([500, 1_000, 2_000]); // half of each limit, as chance has it here
    expect(world.status.uploadError).toBeUndefined();
  });

  test('and says nothing is an error', async () => {
    const world = offlineWorld();
    answering(world, () => undefined);
    world.write(INSERT(1));
    await world.connect();
    expect(world.status.uploadError?.code).toBe('NOTHING_COMPLETED');
  });
});

describe('a number of the backend', () => {
  test('is the target once the queue is empty, and the service is not asked', async () => {
    const world = offlineWorld();
    world.write(INSERT(1));
    world.write(INSERT(2));
    let number = 40;
    world.uploadData = async (queue) => queue.nextTransaction()?.complete((number += 1));
    await world.connect();
    expect(target(world)).toBe(42);
    expect(world.service.calls).toEqual([]);
  });
});

describe('numbers that the client counts', () => {
  async function requestsWorld(takesRequests: boolean): Promise<SessionWorld> {
    const world = offlineWorld();
    world.checkpointMode = 'requests';
    world.newSession();
    world.service.takesRequests = takesRequests;
    world.service.writeCheckpoint = takesRequests ? 41 : 0;
    world.write(INSERT(1));
    await world.connect();
    return world;
  }

  test('begin from what the service knows', async () => {
    const world = await requestsWorld(true);
    expect(world.service.calls).toEqual([post(1), post(42)]);
    expect(target(world)).toBe(42);
    world.write(INSERT(2));
    await world.clock.advance(2_000);
    expect(world.service.calls).toEqual([post(1), post(42), post(43)]);
  });

  test('that are not accepted as asked are not waited for, as they may stand for an older state', async () => {
    const world = await requestsWorld(true);
    world.service.writeCheckpoint = 99;
    world.write(INSERT(2));
    await world.clock.advance(2_000);
    expect(world.service.calls.slice(2)).toEqual([post(43), post(100)]);
    expect(target(world)).toBe(100);
  });

  test('are asked for again every 10 s until they come', async () => {
    const world = await requestsWorld(true);
    await world.clock.advance(9_000);
    expect(world.service.calls).toHaveLength(2);
    await world.clock.advance(12_000);
    expect(world.service.calls).toEqual([post(1), post(42), post(42), post(42)]);
    world.database.connection.exec(`UPDATE sluice_kv SET value = 42 WHERE key = 'seen'`);
    await world.clock.advance(60_000);
    expect(world.service.calls).toHaveLength(4);
  });

  test('give way to the service’s own where it does not know requests', async () => {
    const world = await requestsWorld(false);
    expect(world.service.calls).toEqual([post(1), GET]);
    expect(target(world)).toBe(1);
    world.write(INSERT(2));
    await world.clock.advance(2_000);
    expect(world.service.calls).toEqual([post(1), GET, GET]);
  });
});

describe('the lock', () => {
  test('lets one upload at a time, and the next after a failure too', async () => {
    const lock = inProcessLock();
    const { signal } = new AbortController();
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const first = lock(signal, async () => {
      order.push('first begins');
      await new Promise<void>((resolve) => (finish = resolve));
      throw new Error('broken');
    });
    const failed = expect(first).rejects.toThrow('broken');
    const second = lock(signal, async () => void order.push('second'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['first begins']);
    finish();
    await failed;
    await second;
    expect(order).toEqual(['first begins', 'second']);
  });

  test('is not waited for any more once the signal aborts, and still keeps the others in order', async () => {
    const lock = inProcessLock();
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const { signal } = new AbortController();
    const first = lock(signal, () => new Promise<void>((resolve) => (finish = resolve)));
    const impatient = new AbortController();
    const second = lock(impatient.signal, async () => void order.push('second'));
    const third = lock(signal, async () => void order.push('third'));
    impatient.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    finish();
    await Promise.all([first, third]);
    expect(order).toEqual(['third']);
  });
});
