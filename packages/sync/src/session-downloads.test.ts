import { settle } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { A, B, put, remove, start } from './testing/session-world.ts';

describe('long downloads', () => {
  const row = (bucket: string, i: number) => put(bucket, String(i), `{"n":"${'x'.repeat(100)}"}`);
  const rows = (bucket: string, count: number) =>
    Array.from({ length: count }, (_, i) => row(bucket, i));

  test('give way to a newer checkpoint, and lose and repeat nothing', async () => {
    const { connect, commit } = start([A, B], { chunkBytes: 100_000 });
    commit([...rows('a', 3000), ...rows('b', 10)]);
    const connection = connect();
    let seen = await connection.take();
    while (connection.client.lines.length < 4) seen = await connection.take();
    expect(seen?.every((line) => line.kind === 'data')).toBe(true);
    commit([put('b', 'new')]);
    const story = (await connection.story()).map((line) => line.split(' ').slice(0, 3).join(' '));
    const diffAt = story.findIndex((line) => line === 'diff 3011 7#b');
    expect(diffAt).toBeGreaterThanOrEqual(0);
    expect(story.slice(0, diffAt).filter((line) => line.startsWith('complete'))).toEqual([]);
    expect(story.slice(diffAt).filter((line) => line.startsWith('complete'))).toEqual([
      'complete 3011 up',
      'complete 3011',
    ]);
    expect(connection.client.rows().size).toBe(3011);
  });

  test('are finished first when little was sent', async () => {
    const { connect, commit } = start([A, B], { chunkBytes: 20_000 });
    commit([...rows('a', 900), put('b', '1')]);
    const connection = connect();
    await connection.take();
    commit([put('b', 'new')]);
    const completed = (await connection.story()).filter((line) => /^(complete|diff)/.test(line));
    expect(completed).toEqual([
      'complete 901 up to priority 1',
      'complete 901',
      'diff 902 7#b',
      'complete 902',
    ]);
  });

  test('are not disturbed by changes elsewhere', async () => {
    const { connect, commit } = start([A], { chunkBytes: 100_000 });
    commit(rows('a', 3000));
    const connection = connect();
    await connection.take();
    await connection.take();
    commit([put('other', '1')]);
    expect((await connection.story()).at(-1)).toBe('complete 3000');
  });

  test('a slow client is read for only as it takes, and holds up nobody', async () => {
    const { storage, connect, commit } = start([A], { chunkBytes: 10_000, maxConcurrentReads: 1 });
    commit(rows('a', 3000));
    const slow = connect();
    await slow.take();
    const reads = storage.calls.readOps;
    const quick = connect();
    expect((await quick.story()).at(-1)).toBe('complete 3000');
    commit([put('a', 'new')]);
    expect((await quick.story()).at(-1)).toBe('complete 3001');
    expect(reads).toBeLessThan(10);
    expect((await slow.story()).at(-1)).toBe('complete 3001');
  });

  test('wait for their turn to read, but not for ever', async () => {
    const { storage, clock, connect, commit } = start([A], { maxConcurrentReads: 1 });
    commit([put('a', '1'), put('a', '2')]);
    let release = () => {};
    storage.beforeRead = () => new Promise<void>((resolve) => (release = resolve));
    const first = connect();
    expect(await first.story()).toEqual([]);
    const other = connect({ request: { buckets: [{ name: '7#a', after: '1' }] } });
    const failed = expect(other.take()).rejects.toMatchObject({ code: 'SYNC_OVERLOADED' });
    await clock.advance(31_000);
    await failed;
    storage.beforeRead = () => {};
    release();
    expect((await first.story()).at(-1)).toBe('complete 2');
  });
});

describe('compaction under a download (spec/protocol.md 2.8)', () => {
  test('a checkpoint with operations of a later one is not completed; the next is', async () => {
    const { storage, connect, commit } = start([A, B], { chunkBytes: 1 });
    commit([put('a', '1'), put('a', '2'), put('b', '1')]);
    const connection = connect();
    let paused = () => {};
    storage.beforeRead = () => new Promise<void>((resolve) => (paused = resolve));
    expect(await connection.story()).toEqual([]);
    commit([put('a', '1', '{"id":"1","v":2}')]);
    storage.compact(7, '7#a');
    await settle();
    storage.beforeRead = () => {};
    paused();
    expect(await connection.story()).toEqual([
      'checkpoint 3 7#a 7#b',
      'data 7#a MOVE:1',
      'diff 4 7#a',
      'data 7#a PUT:2',
      'data 7#a PUT:4',
      'complete 4 up to priority 1',
      'data 7#b PUT:3',
      'complete 4',
    ]);
  });

  test('where nothing visible changed, the newer checkpoint is shown all the same', async () => {
    const { storage, connect, commit } = start([A], { chunkBytes: 1 });
    commit([put('a', '1'), put('a', '2')]);
    const connection = connect();
    await connection.drain();
    commit([put('a', '1')]);
    await connection.drain();
    storage.compact(7, '7#a');
    const late = connect();
    expect((await late.story()).at(-1)).toBe('complete 3');
  });

  test('a checkpoint whose sums storage has lost is left out', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1'), remove('a', '1'), remove('a', '2')]);
    storage.compact(7, '7#a');
    commit([put('b', '1')]);
    const connection = connect();
    expect(await connection.story()).toEqual([
      'checkpoint 4 7#a',
      'data 7#a CLEAR:3',
      'complete 4',
    ]);
  });
});
