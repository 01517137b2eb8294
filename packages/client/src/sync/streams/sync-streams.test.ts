import { FakeClock } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { StatusTracker } from '../status/status-tracker.ts';
import { CheckpointStreams } from './checkpoint-streams.ts';
import { createStreamLayout } from './stream-layout.ts';
import { SubscriptionStore, type StreamRow } from './subscription-store.ts';
import { SyncStreams, type StreamSubscription } from './sync-streams.ts';

class StreamsWorld {
  readonly clock = new FakeClock(1_000_000);
  readonly database = testDatabase([]);
  readonly store = new SubscriptionStore(this.database.connection);
  changes = 0;
  streams: SyncStreams;

  constructor() {
    createStreamLayout(this.database.connection);
    this.streams = this.restart();
  }

  /** The app begins again: no handle is left. */
  restart(): SyncStreams {
    const status = new StatusTracker({}, () => undefined);
    this.streams = new SyncStreams({ store: this.store, status, clock: this.clock });
    this.streams.onChange = () => (this.changes += 1);
    return this.streams;
  }

  subscribe(...subscriptions: StreamSubscription[]) {
    return this.streams.subscribe(subscriptions);
  }

  get requested(): readonly string[] {
    return this.streams.requested().map(({ name, params }) => `${name} ${params}`);
  }

  get rows(): readonly StreamRow[] {
    return this.store.rows();
  }
}

describe('a subscription', () => {
  test('lasts a day after its last handle', async () => {
    const world = new StreamsWorld();
    const [one] = world.subscribe({ name: 's' });
    const [two] = world.subscribe({ name: 's', params: {} });
    expect(world.rows).toHaveLength(1);
    one?.unsubscribe();
    one?.unsubscribe();
    await world.clock.advance(200_000_000);
    world.streams.renew();
    expect(world.requested).toEqual(['s null']);
    two?.unsubscribe();
    await world.clock.advance(86_399_999);
    world.streams.renew();
    expect(world.requested).toEqual(['s null']);
    await world.clock.advance(1);
    world.streams.renew();
    expect(world.requested).toEqual([]);
  });

  test('with parameters in another order is the same one', () => {
    const world = new StreamsWorld();
    world.subscribe({ name: 's', params: { a: 1, b: 2 } });
    world.subscribe({ name: 's', params: { b: 2, a: 1 } });
    world.subscribe({ name: 's', params: { b: 3, a: 1 } });
    expect(world.requested).toEqual(['s {"a":1,"b":2}', 's {"a":1,"b":3}']);
  });

  test.each<[ttl: StreamSubscription['ttl'], seconds: number, stays: boolean]>([
    [60, 59, true],
    [60, 60, false],
    [0.5, 1, false],
    ['forever', 1e9, true],
    [Infinity, 1e9, true],
    [0, 0, false],
  ])('with ttl %s, restarted after %s s: stays %s', async (ttl, seconds, stays) => {
    const world = new StreamsWorld();
    world.subscribe({ name: 's', ttl });
    world.restart();
    await world.clock.advance(seconds * 1000);
    world.streams.renew();
    expect(world.requested).toEqual(stays ? ['s null'] : []);
  });

  test('with ttl 0 lives as long as its handle', async () => {
    const world = new StreamsWorld();
    const [handle] = world.subscribe({ name: 's', ttl: 0 });
    await world.clock.advance(100_000);
    world.streams.renew();
    expect(world.requested).toEqual(['s null']);
    handle?.unsubscribe();
    world.streams.renew();
    expect(world.requested).toEqual([]);
  });

  test.each<[priorities: (number | undefined)[], priority: number | undefined]>([
    [[undefined, 2], 2],
    [[2, undefined], 2],
    [[3, 1, 2], 1],
    [[0, undefined], 0],
    [[undefined], undefined],
  ])('asked for with priorities %j has %s', (priorities, priority) => {
    const world = new StreamsWorld();
    for (const each of priorities) world.subscribe({ name: 's', priority: each });
    expect(world.rows[0]?.priority).toBe(priority);
  });

  test.each<[StreamSubscription]>([
    [{ name: 's', priority: 5 }],
    [{ name: 's', priority: 1.5 }],
    [{ name: 's', priority: -1 }],
    [{ name: 's', ttl: -1 }],
    [{ name: 's', ttl: Number.NaN }],
    [{ name: '' }],
  ])('cannot be %j, and then none of its call is stored', (wrong) => {
    const world = new StreamsWorld();
    expect(() => world.subscribe({ name: 'right' }, wrong)).toThrow(
      expect.objectContaining({ code: 'PARAMETER' }),
    );
    expect(world.rows).toEqual([]);
  });

  test('tells the session once for all of a call', () => {
    const world = new StreamsWorld();
    world.subscribe({ name: 'a' }, { name: 'b' }, { name: 'c' });
    expect(world.changes).toBe(1);
  });

  test('that is forgotten is not renewed by the handles that are left', () => {
    const world = new StreamsWorld();
    world.subscribe({ name: 's' });
    world.streams.unsubscribeAll('s');
    world.streams.renew();
    expect(world.requested).toEqual([]);
  });

  test('comes back after everything was cleared, if a handle lives', () => {
    const world = new StreamsWorld();
    const [gone] = world.subscribe({ name: 'gone', ttl: 'forever' });
    world.subscribe({ name: 'live', ttl: 60, priority: 1 });
    gone?.unsubscribe();
    world.database.connection.exec('DELETE FROM sluice_stream');
    world.streams.restore();
    expect(world.rows).toMatchObject([{ name: 'live', ttl: 60, priority: 1 }]);
  });
});

describe('a checkpoint', () => {
  const described = (name: string, isDefault = false) => ({ name, isDefault, errors: [] });

  test('makes active what it has of the request, and default streams', () => {
    const world = new StreamsWorld();
    world.subscribe({ name: 'known', params: { n: 1 } }, { name: 'unknown' });
    const requested = new Set(world.rows.map(({ id }) => id));
    world.subscribe({ name: 'known', params: { n: 2 } });
    world.store.noteStreams([described('auto', true), described('known')], requested);
    expect(
      world.rows.map(({ name, params, active, isDefault, ttl }) => [
        name,
        params,
        active,
        isDefault,
        ttl !== undefined,
      ]),
    ).toEqual([
      ['known', '{"n":1}', true, false, true],
      ['unknown', 'null', false, false, true],
      ['known', '{"n":2}', false, false, true],
      ['auto', 'null', true, true, false],
    ]);
  });

  test('takes away what it no longer has and nobody subscribed to', () => {
    const world = new StreamsWorld();
    world.subscribe({ name: 'forgotten' });
    world.store.noteStreams([described('auto', true), described('forgotten')], new Set([1]));
    world.streams.unsubscribeAll('forgotten');
    expect(world.rows.map(({ name }) => name)).toEqual(['forgotten', 'auto']);
    world.store.noteStreams([described('auto', true)], new Set());
    expect(world.rows.map(({ name }) => name)).toEqual(['auto']);
    world.store.noteStreams([], new Set());
    expect(world.rows).toEqual([]);
  });

  test('resolves indexes of buckets and errors to subscriptions', () => {
    const world = new StreamsWorld();
    world.subscribe(
      { name: 'a', params: { n: 1 } },
      { name: 'gone' },
      { name: 'a', params: { n: 2 } },
    );
    const requested = world.streams.requested();
    const streams = [
      {
        name: 'auto',
        isDefault: true,
        errors: [{ subscription: 'default', message: 'no' } as const],
      },
      { name: 'a', isDefault: false, errors: [{ subscription: 2, message: 'not an array' }] },
    ];
    world.store.noteStreams(streams, new Set(requested.map(({ id }) => id)));
    const resolved = new CheckpointStreams({ requested, streams, rows: world.rows });
    const bucket = { bucket: 'b', checksum: 0, count: 0, priority: 3 };
    const reasons = [{ sub: 2 }, { default: 0 }, { sub: 9 }, { default: 9 }];
    expect(resolved.rowsOf({ ...bucket, subscriptions: reasons })).toEqual([3, 4]);
    expect(resolved.errors()).toEqual(
      new Map([
        [2, 'The service has no stream gone'],
        [4, 'no'],
        [3, 'not an array'],
      ]),
    );
  });
});
