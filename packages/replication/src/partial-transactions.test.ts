import type { ChangeSource, SourceReplication } from '@sluice/source';
import { MemoryStorage } from '@sluice/testing';
import { expect, test } from 'vitest';
import { SampleConfig } from './testing/sample-streams.ts';
import { visibleRows } from './testing/visible-rows.ts';
import { running, until, World } from './testing/world.ts';

const NOTES = SampleConfig.of(0);
const NOTES_AND_TAGS = SampleConfig.of(0, 3);

/** `target` with other methods in place of some of its own. */
function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(key in methods ? methods : target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A source whose snapshots give no row, and that shows up to where it may forget its log. */
function neverRead(source: ChangeSource, onAcknowledged: (position: string) => void): ChangeSource {
  return withMethods(source, {
    openReplication: async (options) => {
      const replication: SourceReplication = await source.openReplication(options);
      return withMethods(replication, {
        snapshot: (_, { signal }) =>
          new Promise((__, reject) => {
            signal.addEventListener('abort', () => reject(new Error('The run has ended')));
          }),
        acknowledge(position) {
          replication.acknowledge(position);
          onAcknowledged(position);
        },
      });
    },
  });
}

/** What storage says of a transaction of which it has only the beginning. */
async function storedPart(world: World): Promise<unknown> {
  await using storage = new MemoryStorage(world.disk);
  const [generation] = await storage.generations();
  if (generation === undefined) return undefined;
  await using writer = await storage.openWriter(generation.id);
  const { resume } = await writer.progress();
  return resume === undefined ? undefined : (JSON.parse(resume) as { partial?: unknown }).partial;
}

test('a transaction written change by change is whole in storage before the source may forget it', async () => {
  const world = new World(1);
  const { database } = world;
  let acknowledged = '';
  const source = neverRead(world.source, (position) => (acknowledged = position));
  // Every change is a batch, so nothing is left to be written when the transaction ends.
  const limits = { batchBytes: 1, snapshotCommitMs: 0, tablePollMs: 60_000 };
  await running(world, { configText: NOTES.text, limits, source }, async () => {
    await until('the stream has begun', async () => acknowledged === database.head);
    database.transaction((writer) => writer.insert('notes', ['id', 'ann', 'text']));
    await until('the transaction is acknowledged', async () => acknowledged === database.head);
  });
  expect(await storedPart(world)).toBeUndefined();

  // The source is silent from here on, so the transaction is not followed by another one.
  await running(world, { configText: NOTES.text }, async (replication, storage) => {
    await replication.deploy(NOTES_AND_TAGS.text);
    const wanted = NOTES_AND_TAGS.entitled(world.state, 'ann');
    await until('the config serves', async () => {
      const [generation] = await storage.generations();
      if (generation?.configs.serving.text !== NOTES_AND_TAGS.text) return false;
      return JSON.stringify(await visibleRows(storage, 'ann')) === JSON.stringify(wanted);
    });
  });
});
