import { describe, expect, test } from 'vitest';
import { SPEC_LINES, SessionWorld, specWorld } from '../../testing/session-world.ts';

const ALL = [
  SPEC_LINES.checkpoint,
  SPEC_LINES.lists,
  SPEC_LINES.partial,
  SPEC_LINES.todos,
  SPEC_LINES.complete,
];

describe('subscriptions', () => {
  test('a new one is asked for at once, without a flicker; an equal one is not', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    world.statuses.length = 0;
    world.streams.subscribe([{ name: 'todos', params: { list_id: 'L1' } }]);
    await world.clock.advance(0);
    expect(world.service.streams).toHaveLength(1);
    world.streams.subscribe([
      { name: 'todos', params: { list_id: 'L2' } },
      { name: 'lists', priority: 0 },
    ]);
    await world.clock.advance(0);
    expect(world.service.streams).toHaveLength(2);
    expect(world.service.stream.request.streams.subscriptions).toEqual([
      { stream: 'todos', parameters: { list_id: 'L1' }, override_priority: null },
      { stream: 'lists', parameters: null, override_priority: 0 },
      { stream: 'todos', parameters: { list_id: 'L2' }, override_priority: null },
    ]);
    expect(world.statuses.some(({ connected }) => !connected)).toBe(false);
  });

  test('what nobody holds any more is no longer asked for once its time is over', async () => {
    const world = new SessionWorld();
    const [handle] = world.streams.subscribe([{ name: 'todos', ttl: 60 }]);
    await world.connect();
    handle?.unsubscribe();
    await world.clock.advance(40_000);
    await world.send({ token_expires_in: 3600 });
    expect(world.service.streams).toHaveLength(1);
    await world.clock.advance(20_000);
    await world.send({ token_expires_in: 3580 });
    expect(world.service.streams).toHaveLength(2);
    expect(world.service.stream.request.streams.subscriptions).toEqual([]);
  });

  test('handles wait for their data, with errors of the service at hand', async () => {
    const world = await specWorld();
    const [known, unknown] = world.streams.subscribe([
      { name: 'todos', params: { list_id: 'L1' } },
      { name: 'nothing' },
    ]);
    const synced = known?.waitForFirstSync();
    await world.clock.advance(0);
    await world.send(...ALL);
    await synced;
    expect(world.status.forStream({ name: 'todos', params: '{"list_id":"L1"}' })).toMatchObject({
      active: true,
      hasSynced: true,
      isDefault: false,
      hasExplicitSubscription: true,
      lastSyncedAt: expect.any(Date) as Date,
      error: undefined,
    });
    expect(world.status.forStream({ name: 'nothing', params: 'null' })).toMatchObject({
      active: false,
      hasSynced: false,
      error: 'The service has no stream nothing',
    });
    expect(world.status.forStream({ name: 'lists', params: 'null' })).toMatchObject({
      isDefault: true,
      hasExplicitSubscription: false,
      hasSynced: true,
    });
    const aborted = unknown?.waitForFirstSync(AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('progress', () => {
  test('grows by priority and stream, and goes when all is there', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint);
    expect(world.status.downloadProgress).toMatchObject({
      totalOperations: 3,
      downloadedOperations: 0,
      downloadedFraction: 0,
    });
    await world.send(SPEC_LINES.lists);
    expect(world.status.downloadProgress?.untilPriority(1).downloadedFraction).toBe(1);
    expect(world.status.downloadProgress?.downloadedOperations).toBe(1);
    await world.send(SPEC_LINES.todos);
    expect(world.status.downloadProgress?.downloadedFraction).toBe(1);
    expect(
      world.status.forStream({ name: 'todos', params: '{"list_id":"L1"}' })?.progress,
    ).toMatchObject({ totalOperations: 2, downloadedFraction: 1 });
    await world.send(SPEC_LINES.complete);
    expect(world.status.downloading).toBe(false);
  });

  test('goes on after a restart of the app', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists, SPEC_LINES.partial);
    await world.session.disconnect();
    world.newSession();
    expect(world.status.statusForPriority(1).hasSynced).toBe(true);
    await world.connect();
    await world.send(SPEC_LINES.checkpoint);
    expect(world.status.downloadProgress?.downloadedOperations).toBe(1);
  });

  test('begins anew when the service has fewer operations than were counted', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    const { checkpoint } = SPEC_LINES.checkpoint;
    const buckets = checkpoint.buckets.map((bucket) => ({ ...bucket, count: 1 }));
    world.service.stream.end();
    await world.clock.advance(500);
    await world.send({ checkpoint: { ...checkpoint, buckets } });
    expect(world.status.downloadProgress).toMatchObject({
      totalOperations: 2,
      downloadedOperations: 0,
    });
  });
});
