import { describe, expect, test } from 'vitest';
import { ClientError } from '../../errors.ts';
import { FULL_SYNC } from '../store/sync-layout.ts';
import { figuresOf, ProgressCounter } from './progress.ts';
import { StatusTracker } from './status-tracker.ts';

const tracker = () => new StatusTracker({}, () => undefined);

describe('a status', () => {
  test.each<[syncedAt: [number, number][], priority: number, atMs: number | undefined]>([
    [[], 1, undefined],
    [[[1, 10]], 0, 10],
    [[[1, 10]], 1, 10],
    [[[1, 10]], 2, undefined],
    [[[FULL_SYNC, 5]], 3, 5],
    [
      [
        [FULL_SYNC, 5],
        [1, 10],
      ],
      1,
      10,
    ],
    [
      [
        [FULL_SYNC, 5],
        [1, 10],
      ],
      2,
      5,
    ],
  ])('synced %j: priority %s at %s', (syncedAt, priority, atMs) => {
    const status = tracker();
    status.update({ syncedAt: syncedAt.map(([of, at]) => ({ priority: of, atMs: at })) });
    const found = status.current.statusForPriority(priority);
    expect(found.hasSynced).toBe(atMs !== undefined);
    expect(found.lastSyncedAt?.getTime()).toBe(atMs);
  });

  test('sums progress up to a priority', () => {
    const status = tracker();
    const progress = [
      { priority: 1, ...figuresOf(10, 10) },
      { priority: 3, ...figuresOf(30, 0) },
    ];
    status.update({ progress });
    expect(status.current.downloadProgress).toMatchObject({ downloadedFraction: 0.25 });
    expect(status.current.downloadProgress?.untilPriority(2)).toEqual(figuresOf(10, 10));
  });

  test('does not change, and equals another that says the same', () => {
    const status = tracker();
    const before = status.current;
    status.update({ connected: true, downloadError: new ClientError('NETWORK', 'x') });
    expect(before.connected).toBe(false);
    const other = tracker();
    other.update({ connected: true, downloadError: new ClientError('NETWORK', 'x') });
    expect(other.current.isEqual(status.current)).toBe(true);
    expect(before.isEqual(status.current)).toBe(false);
    expect(JSON.parse(JSON.stringify(status.current))).toMatchObject({
      connected: true,
      downloadError: 'ClientError: x',
    });
  });
});

describe('listeners', () => {
  test('hear of changes only, and one that throws does not stop the others', () => {
    const problems: unknown[] = [];
    const status = new StatusTracker({}, (problem) => problems.push(problem));
    const heard: boolean[] = [];
    status.listen(() => {
      throw new Error('mine');
    });
    const stop = status.listen(({ connected }) => heard.push(connected));
    status.update({ connected: true });
    status.update({ connected: true });
    stop();
    status.update({ connected: false });
    expect(heard).toEqual([true]);
    expect(problems).toHaveLength(2);
  });

  test('waiting resolves at once if it is so already', async () => {
    await expect(tracker().waitFor(({ connected }) => !connected)).resolves.toBeDefined();
  });

  test('waiting rejects when the signal aborts, before or meanwhile', async () => {
    const status = tracker();
    const reason = new Error('enough');
    const before = status.waitForFirstSync({ signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = status.waitForFirstSync({ signal: controller.signal, priority: 1 });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('waiting for a priority ends with it', async () => {
    const status = tracker();
    const waiting = status.waitForFirstSync({ priority: 1 });
    status.update({ syncedAt: [{ priority: 1, atMs: 5 }] });
    await waiting;
  });
});

describe('counting a download', () => {
  const bucket = (name: string, count: number, priority = 3) => ({
    bucket: name,
    checksum: 0,
    count,
    priority,
    subscriptions: [],
  });

  test('what was there before does not count', () => {
    const counts = new Map([['a', { atLast: 90, sinceLast: 4 }]]);
    const counter = new ProgressCounter([bucket('a', 100), bucket('b', 10, 1)], counts);
    counter.add('a', 1);
    counter.add('other', 5);
    expect(counter.byPriority()).toEqual([
      { priority: 1, ...figuresOf(10, 0) },
      { priority: 3, ...figuresOf(10, 5) },
    ]);
    expect(counter.isReset).toBe(false);
  });

  test('never shows more than there is', () => {
    const counter = new ProgressCounter([bucket('a', 10)], new Map());
    counter.add('a', 12);
    expect(counter.figures(['a'])).toEqual(figuresOf(10, 10));
  });

  test('begins anew when a compaction made the bucket smaller', () => {
    const counts = new Map([['a', { atLast: 90, sinceLast: 11 }]]);
    const counter = new ProgressCounter([bucket('a', 100)], counts);
    expect(counter.isReset).toBe(true);
    expect(counter.figures(['a'])).toEqual(figuresOf(100, 0));
  });

  test('nothing to download is all of it', () => {
    expect(new ProgressCounter([], new Map()).figures([]).downloadedFraction).toBe(1);
  });
});
