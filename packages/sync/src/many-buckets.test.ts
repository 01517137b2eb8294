import { setImmediate } from 'node:timers/promises';
import { must, PACED_ITEMS, silentLogger } from '@sluice/base';
import { parseStreamRequest, type Line } from '@sluice/protocol';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';
import {
  FakeClock,
  scriptedConfig,
  ScriptedConnection,
  ScriptedStorage,
  until,
} from '@sluice/testing';
import { expect, onTestFinished, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

const BUCKETS = 20_000;
const YAML = `bucket_definitions:
  own:
    parameters: SELECT request.user_id() AS owner
    data:
      - SELECT id FROM notes WHERE owner = bucket.owner
  member:
    parameters: SELECT project FROM memberships WHERE user_id = request.user_id()
    data:
      - SELECT id FROM tasks WHERE project = bucket.project
`;

/** Time in which every look at it takes a millisecond, so that work is measured by its questions. */
class TickingClock extends FakeClock {
  looks = 0;

  override now(): number {
    this.looks += 1;
    return super.now() + this.looks;
  }
}

/** A hub where user `many` is a member of 20,000 projects. */
function start() {
  const { plan } = compileSyncConfig(YAML, { defaultSchema: 'public' });
  const storage = new ScriptedStorage();
  storage.addActiveGeneration(7, scriptedConfig(must(plan), '7#'));
  const clock = new TickingClock();
  const hub = new SyncHub({
    storage,
    planFor: () => must(plan),
    limits: {
      minCheckpointIntervalMs: 0,
      maxBucketsPerConnection: BUCKETS * 2,
      maxParameterQueryResults: BUCKETS * 2,
    },
    clock,
    logger: silentLogger,
    random: () => 0.5,
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  const connect = (sub: string) => {
    const session = hub.open({
      request: parseStreamRequest({ raw_data: true }),
      claims: { sub },
      userKey: sub,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format: 'bson',
      signal: new AbortController().signal,
    });
    return { session, connection: new ScriptedConnection(session, 'bson') };
  };
  return { storage, clock, hub, connect, lookUpProjects: () => projectsKey(must(plan)) };
}

/** The lookup key under which the projects of `many` stand. */
async function projectsKey(plan: SyncPlan): Promise<string> {
  const prefixes = new Map(plan.parts.map(({ hash }) => [hash, '7#']));
  const { parameters, includeDefaults, subscriptions } = parseStreamRequest({});
  const asks = { claims: { sub: 'many' }, parameters, includeDefaults, subscriptions };
  const resolver = plan.resolver(asks, prefixes);
  const { lookupKeys } = await resolver.resolve(() => Promise.resolve(new Map()), 1);
  return must([...lookupKeys][0]);
}

/** Turns of the event loop until `done`. */
async function turnsUntil(done: Promise<unknown>): Promise<number> {
  let isDone = false;
  const end = () => (isDone = true);
  done.then(end, end);
  let turns = 0;
  for (; !isDone; turns += 1) await setImmediate();
  return turns;
}

/** Takes batches up to the first completed checkpoint. */
async function completed(connection: ScriptedConnection): Promise<readonly Line[]> {
  const lines: Line[] = [];
  while (lines.at(-1)?.kind !== 'checkpoint_complete') {
    lines.push(...must(await connection.take()));
  }
  return lines;
}

const note = (text: string) => ({
  bucket: '7#own["one"]',
  objectId: text,
  checksum: 1,
  data: '{}',
});
const projects = (count: number) => Array.from({ length: count }, (_, i) => `[${i}]`);

/**
 * Steps that go over all buckets: reading results, projecting them, naming buckets, joining them,
 * looking for states that are missing, placing them, writing the line, and passing empty ones.
 */
const STEPS = 8;

test('a client of 20,000 buckets gives way after every 64 of them, at every step', async () => {
  const { storage, clock, connect, lookUpProjects } = start();
  storage.commit(7, {
    rows: [note('1')],
    lookups: { [await lookUpProjects()]: projects(BUCKETS) },
  });
  const { connection } = connect('many');
  const looksBefore = clock.looks;
  const lines = completed(connection);
  const turns = await turnsUntil(lines);
  const [checkpoint] = await lines;
  expect(checkpoint?.kind === 'checkpoint' && checkpoint.buckets.length).toBe(BUCKETS + 1);
  const looks = clock.looks - looksBefore;
  expect(looks).toBeGreaterThan((STEPS * BUCKETS) / PACED_ITEMS);
  // A slice is over at the fourth look after its first, and the one who waits looks again.
  expect(turns).toBeGreaterThan(looks / 8);
});

test('another client is served meanwhile, whatever the large one is at', async () => {
  const { storage, connect, lookUpProjects } = start();
  storage.commit(7, {
    rows: [note('0')],
    lookups: { [await lookUpProjects()]: projects(BUCKETS) },
  });
  const one = connect('one').connection;
  await completed(one);
  const { session, connection } = connect('many');
  let isShown = false;
  const first = connection.take().finally(() => (isShown = true));
  let rounds = 0;
  for (; !isShown; rounds += 1) {
    storage.commit(7, { rows: [note(`while ${rounds}`)] });
    expect(await turnsUntil(one.take())).toBeLessThan(20);
  }
  expect(rounds).toBeGreaterThan(50);
  await first;
  session.end();
});

test('a bucket that changes while the line is worked out is told as it is at the checkpoint', async () => {
  const { storage, connect, lookUpProjects } = start();
  const key = await lookUpProjects();
  storage.commit(7, { rows: [note('0')], lookups: { [key]: projects(BUCKETS) } });
  const { connection } = connect('many');
  let isDone = false;
  const done = completed(connection).finally(() => (isDone = true));
  const changed = new Set<string>();
  for (let turn = 0; !isDone; turn += 1) {
    await setImmediate();
    if (turn % 10 > 0) continue;
    const bucket = `7#member[${(turn * 37) % BUCKETS}]`;
    changed.add(bucket);
    storage.commit(7, { rows: [{ bucket, objectId: '1', checksum: turn + 1, data: '{}' }] });
  }
  await done;
  // The scripted client compares every bucket's checksum at every completed checkpoint.
  while (connection.client.rows().size < changed.size) await completed(connection);
  expect(changed.size).toBeGreaterThan(20);
});

test('its buckets are given up in slices, too, and none is left', async () => {
  const { storage, hub, connect, lookUpProjects } = start();
  storage.commit(7, {
    rows: [note('0')],
    lookups: { [await lookUpProjects()]: projects(BUCKETS) },
  });
  const { session, connection } = connect('many');
  await completed(connection);
  expect(hub.stats().buckets).toBe(BUCKETS + 1);
  session.end();
  expect(hub.stats().buckets).toBeGreaterThan(BUCKETS / 2);
  await turnsUntil(until('no buckets', () => hub.stats().buckets === 0));
});
