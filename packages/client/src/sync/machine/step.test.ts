import type { Line } from '@sluice/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientError } from '../../errors.ts';
import { HEALTHY_MS as HEALTHY, IDLE_MS } from './delays.ts';
import type { SyncAction, SyncEvent } from './events.ts';
import { INITIAL_STATE, type SyncState } from './state.ts';
import { step } from './step.ts';

const broken = new ClientError('NETWORK', 'Broken.');
const connect: SyncEvent = { kind: 'connect' };
const fetched: SyncEvent = { kind: 'credentials', outcome: 'fetched' };
const failed: SyncEvent = { kind: 'failed', stream: 1, error: broken, unauthorized: false };
const unauthorized: SyncEvent = { ...failed, unauthorized: true };
const line = (body: Line, stream = 1): SyncEvent => ({ kind: 'line', stream, line: body });
const bucket = (name: string, priority = 3) => ({
  bucket: name,
  checksum: 0,
  count: 0,
  priority,
  subscriptions: [],
});
const checkpoint = line({
  kind: 'checkpoint',
  lastOpId: 5n,
  writeCheckpoint: 7n,
  buckets: [bucket('urgent', 1), bucket('later')],
  streams: [],
});
const diff = line({
  kind: 'checkpoint_diff',
  lastOpId: 6n,
  writeCheckpoint: undefined,
  updatedBuckets: [bucket('new')],
  removedBuckets: ['later'],
});
const complete = line({ kind: 'checkpoint_complete', lastOpId: 5n });
const partial = line({ kind: 'partial_checkpoint_complete', lastOpId: 5n, priority: 1 });
const data = line({
  kind: 'data',
  bucket: 'later',
  after: 0n,
  nextAfter: 1n,
  hasMore: false,
  ops: [],
});
const expires = (seconds: number) => line({ kind: 'token_expires_in', seconds });

/** Feeds events, some of them after a time in milliseconds. */
function run(...events: (SyncEvent | number)[]): { state: SyncState; actions: SyncAction[] } {
  const world = new World();
  for (const event of events) {
    if (typeof event === 'number') world.nowMs += event;
    else world.feed(event);
  }
  return { state: world.state, actions: world.lastActions };
}

class World {
  state = INITIAL_STATE;
  nowMs = 0;
  streams = 0;
  lastActions: SyncAction[] = [];
  random = 0.5;

  feed(event: SyncEvent): void {
    const context = { nowMs: this.nowMs, random: this.random, nextStream: this.streams + 1 };
    const next = step(this.state, event, context);
    this.state = next.state;
    this.lastActions = [...next.actions];
    this.streams += next.actions.filter(({ kind }) => kind === 'openStream').length;
  }
}

const OPEN = [connect, fetched, { kind: 'opened', stream: 1 }] as const;
const kinds = (actions: readonly SyncAction[]) => actions.map(({ kind }) => kind);

describe('phases', () => {
  test.each<[title: string, events: (SyncEvent | number)[], phase: string, actions: string[]]>([
    ['connecting asks for credentials', [connect], 'authorizing', ['fetchCredentials']],
    [
      'credentials open a stream',
      [connect, fetched],
      'opening',
      ['renewSubscriptions', 'openStream'],
    ],
    [
      'an app without credentials is signed out',
      [connect, { kind: 'credentials', outcome: 'none' }],
      'signedOut',
      [],
    ],
    ['an open stream is watched', [...OPEN], 'streaming', ['startTimer']],
    [
      'a refused token is replaced at once',
      [connect, fetched, unauthorized],
      'authorizing',
      ['closeStream', 'fetchCredentials'],
    ],
    [
      'a second refusal has to wait',
      [connect, fetched, unauthorized, fetched, { ...unauthorized, stream: 2 }],
      'waiting',
      ['dropCredentials', 'closeStream', 'startTimer'],
    ],
    [
      'a lost stream is tried again later',
      [...OPEN, failed],
      'waiting',
      ['closeStream', 'stopTimer', 'startTimer'],
    ],
    [
      'an ended stream too',
      [...OPEN, { kind: 'ended', stream: 1 }],
      'waiting',
      ['closeStream', 'stopTimer', 'startTimer'],
    ],
    [
      'the retry timer connects',
      [...OPEN, failed, { kind: 'timer', timer: 'retry' }],
      'authorizing',
      ['stopTimer', 'fetchCredentials'],
    ],
    [
      'a hint does not wait',
      [...OPEN, failed, { kind: 'hint' }],
      'authorizing',
      ['stopTimer', 'fetchCredentials'],
    ],
    ['a hint leaves a lively stream alone', [...OPEN, 24_999, { kind: 'hint' }], 'streaming', []],
    [
      'a hint replaces a silent one',
      [...OPEN, 25_000, { kind: 'hint' }],
      'authorizing',
      ['closeStream', 'stopTimer', 'fetchCredentials'],
    ],
    [
      'silence ends a stream',
      [...OPEN, IDLE_MS, { kind: 'timer', timer: 'idle' }],
      'waiting',
      ['closeStream', 'stopTimer', 'startTimer'],
    ],
    [
      'a sign of life without a line puts that off, and renews subscriptions',
      [...OPEN, 30_000, { kind: 'alive', stream: 1 }],
      'streaming',
      ['renewSubscriptions'],
    ],
    [
      'so that a silent WebSocket stays',
      [...OPEN, 30_000, { kind: 'alive', stream: 1 }, 15_000, { kind: 'timer', timer: 'idle' }],
      'streaming',
      ['startTimer'],
    ],
    [
      'a line in between puts that off',
      [...OPEN, 30_000, expires(100), 15_000, { kind: 'timer', timer: 'idle' }],
      'streaming',
      ['startTimer'],
    ],
    [
      'the first line starts uploads',
      [...OPEN, checkpoint],
      'streaming',
      ['noteStreams', 'retain', 'upload'],
    ],
    [
      'a keepalive renews subscriptions',
      [...OPEN, checkpoint, expires(31)],
      'streaming',
      ['renewSubscriptions'],
    ],
    [
      'a token near its end is replaced ahead',
      [...OPEN, checkpoint, expires(30)],
      'streaming',
      ['fetchCredentials'],
    ],
    ['once', [...OPEN, checkpoint, expires(30), expires(10)], 'streaming', []],
    [
      'and the stream with it',
      [...OPEN, checkpoint, expires(30), fetched],
      'opening',
      ['closeStream', 'stopTimer', 'renewSubscriptions', 'openStream'],
    ],
    [
      'an app that cannot yet is asked again at the end',
      [
        ...OPEN,
        checkpoint,
        expires(30),
        { kind: 'credentialsFailed', error: broken },
        30_000,
        expires(0),
      ],
      'authorizing',
      ['closeStream', 'stopTimer', 'fetchCredentials'],
    ],
    [
      'a token that was expired from the start makes it wait',
      [...OPEN, expires(0)],
      'waiting',
      ['dropCredentials', 'closeStream', 'stopTimer', 'startTimer', 'upload'],
    ],
    [
      'other subscriptions open another stream',
      [...OPEN, { kind: 'subscriptionsChanged' }],
      'opening',
      ['closeStream', 'stopTimer', 'renewSubscriptions', 'openStream'],
    ],
    [
      'lines of a former stream are ignored',
      [...OPEN, { kind: 'subscriptionsChanged' }, data],
      'opening',
      [],
    ],
    ['data before a checkpoint is fine', [...OPEN, data], 'streaming', ['ingest', 'upload']],
    [
      'a completion before a checkpoint is not',
      [...OPEN, expires(99), complete],
      'waiting',
      ['closeStream', 'stopTimer', 'startTimer'],
    ],
    [
      'nor is a diff',
      [...OPEN, expires(99), diff],
      'waiting',
      ['closeStream', 'stopTimer', 'startTimer'],
    ],
    [
      'pausing closes the stream',
      [...OPEN, { kind: 'pause' }],
      'paused',
      ['closeStream', 'stopTimer'],
    ],
    [
      'resuming connects',
      [...OPEN, { kind: 'pause' }, { kind: 'resume' }],
      'authorizing',
      ['fetchCredentials'],
    ],
    ['disconnecting ends it', [...OPEN, failed, { kind: 'disconnect' }], 'stopped', ['stopTimer']],
    [
      'nothing wakes what is stopped',
      [{ kind: 'hint' }, { kind: 'resume' }, fetched],
      'stopped',
      [],
    ],
  ])('%s', (_, events, phase, actions) => {
    const result = run(...events);
    expect(result.state.phase.kind).toBe(phase);
    expect(kinds(result.actions)).toEqual(actions);
  });

  test.each([
    [0, [500, 1_000, 2_000, 4_000]],
    [HEALTHY, [500, 500, 500, 500]],
  ])('streams of %i ms that fail are followed by delays of %j', (lastingMs, expected) => {
    const world = new World();
    world.feed(connect);
    const delays = expected.map(() => {
      world.feed(fetched);
      world.feed({ kind: 'opened', stream: world.streams });
      world.nowMs += lastingMs;
      world.feed({ ...failed, stream: world.streams });
      const timer = world.lastActions.at(-1);
      world.feed({ kind: 'timer', timer: 'retry' });
      return timer?.kind === 'startTimer' ? timer.ms : undefined;
    });
    expect(delays).toEqual(expected);
  });
});

describe('checkpoints', () => {
  const scopeOf = (actions: readonly SyncAction[]) => {
    const [action] = actions;
    if (action?.kind !== 'complete' && action?.kind !== 'publish') return undefined;
    const { buckets, ...rest } = action.scope;
    return { ...rest, buckets: buckets.map(({ bucket: name }) => name) };
  };
  const closed: SyncEvent = {
    kind: 'completed',
    scope: { kind: 'full', lastOpId: 5n, writeCheckpoint: 7n, buckets: [] },
    outcome: { kind: 'closed' },
  };

  test('a completion is for all buckets of the checkpoint', () => {
    expect(scopeOf(run(...OPEN, checkpoint, complete).actions)).toEqual({
      kind: 'full',
      lastOpId: 5n,
      writeCheckpoint: 7n,
      buckets: ['urgent', 'later'],
    });
  });

  test('a partial one for those of its priority', () => {
    expect(scopeOf(run(...OPEN, checkpoint, partial).actions)).toEqual({
      kind: 'partial',
      priority: 1,
      lastOpId: 5n,
      buckets: ['urgent'],
    });
  });

  test('a diff patches it, and takes the write checkpoint away if it has none', () => {
    expect(scopeOf(run(...OPEN, checkpoint, diff, complete).actions)).toEqual({
      kind: 'full',
      lastOpId: 6n,
      writeCheckpoint: undefined,
      buckets: ['urgent', 'new'],
    });
  });

  test('what the gate kept back is published once uploads are acknowledged', () => {
    const { actions } = run(...OPEN, checkpoint, complete, closed, { kind: 'uploadsAcknowledged' });
    expect(kinds(actions)).toEqual(['publish']);
    expect(scopeOf(actions)?.lastOpId).toBe(5n);
  });

  test.each([
    ['another checkpoint', checkpoint],
    ['a diff', diff],
    ['the end of the stream', failed],
  ])('%s takes the place of what was kept back', (_, event) => {
    const { actions } = run(...OPEN, checkpoint, complete, closed, event, {
      kind: 'uploadsAcknowledged',
    });
    expect(actions).toEqual([]);
  });

  test('buckets that do not add up end the stream', () => {
    const { state } = run(...OPEN, checkpoint, complete, {
      ...closed,
      outcome: { kind: 'mismatch', buckets: ['later'] },
    });
    expect(state.phase).toMatchObject({ kind: 'waiting', error: { code: 'CHECKSUM' } });
  });
});

test('whatever happens in whatever order, the invariants hold', () => {
  const anyEvent = fc.oneof(
    ...[
      connect,
      { kind: 'disconnect' },
      { kind: 'pause' },
      { kind: 'resume' },
      { kind: 'hint' },
      fetched,
      { kind: 'credentials', outcome: 'none' },
      { kind: 'credentialsFailed', error: broken },
      { kind: 'subscriptionsChanged' },
      { kind: 'uploadsAcknowledged' },
      { kind: 'timer', timer: 'retry' },
      { kind: 'timer', timer: 'idle' },
    ].map((event) => fc.constant(event as SyncEvent)),
    fc
      .tuple(
        fc.constantFrom<SyncEvent>(
          { kind: 'opened', stream: 1 },
          { kind: 'ended', stream: 1 },
          { kind: 'alive', stream: 1 },
          failed,
          unauthorized,
          checkpoint,
          diff,
          complete,
          partial,
          data,
          expires(0),
          expires(20),
          expires(60),
        ),
        fc.integer({ min: 0, max: 2 }),
      )
      .map(([event, age]) => ({ ...event, age }) as SyncEvent & { age: number }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.nat(60_000)), { maxLength: 60 }), (history) => {
      const world = new World();
      const watch = new InvariantWatch();
      for (const [event, elapsedMs] of history) {
        world.nowMs += elapsedMs;
        const aged = 'age' in event ? { ...event, stream: world.streams - event.age } : event;
        world.feed(aged);
        watch.check(world);
        for (const action of world.lastActions) {
          if (action.kind !== 'complete' && action.kind !== 'publish') continue;
          const kind = elapsedMs % 3 === 0 ? 'published' : 'closed';
          world.feed({ kind: 'completed', scope: action.scope, outcome: { kind } });
          watch.check(world);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Follows the actions as the session would, and compares with the phase. */
class InvariantWatch {
  #open: number | undefined;
  readonly #timers = new Set<string>();

  check({ state, lastActions }: World): void {
    const { phase } = state;
    for (const action of lastActions) {
      if (action.kind === 'openStream') {
        expect(this.#open).toBeUndefined();
        this.#open = action.stream;
      }
      if (action.kind === 'closeStream') {
        expect(this.#open).toBeDefined();
        this.#open = undefined;
      }
      if (action.kind === 'startTimer') this.#timers.add(action.timer);
      if (action.kind === 'stopTimer') this.#timers.delete(action.timer);
      if (['ingest', 'complete', 'retain', 'remove', 'noteStreams'].includes(action.kind)) {
        expect(phase.kind).toBe('streaming');
      }
      if (action.kind === 'complete' || action.kind === 'publish') {
        expect(action.scope.lastOpId).toBe(state.checkpoint?.lastOpId);
      }
    }
    expect(this.#open).toBe('stream' in phase ? phase.stream : undefined);
    expect(this.#timers.has('retry')).toBe(phase.kind === 'waiting');
    expect(this.#timers.has('idle')).toBe(phase.kind === 'streaming');
    if (state.held !== undefined) expect(state.held).toBe(state.checkpoint);
    if (phase.kind !== 'streaming') expect(state.checkpoint).toBeUndefined();
  }
}
