import { must, silentLogger } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import type { BucketStorage, GenerationWriter, RowChange } from '@sluice/storage';
import {
  FakeClock,
  MemoryStorage,
  scriptedConfig,
  scriptedPlan,
  ScriptedConnection,
  ScriptedSyncClient,
  SeededRandom,
  settle,
  subjectOf,
} from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

const BUCKETS = ['p', 'q', 'r', 's'];
const CLIENTS = 3;
const STEPS = 120;

const PLAN = scriptedPlan([
  { name: 'own', lookupKey: (request) => `member["${subjectOf(request)}"]` },
  { name: 'all', priority: 1, buckets: () => ['p'] },
]);

interface Row {
  readonly data: string;
  readonly buckets: readonly string[];
}

/** What storage should hold: rows with their buckets, and which buckets users are members of. */
class Model {
  readonly rows = new Map<string, Row>();
  readonly members = new Map<string, readonly string[]>();

  visibleTo(user: string): string[] {
    const buckets = ['p', ...(this.members.get(user) ?? [])];
    return [...this.rows]
      .flatMap(([id, row]) =>
        row.buckets
          .filter((name) => buckets.includes(name))
          .map((name) => `1#${name} ${id}=${row.data}`),
      )
      .toSorted();
  }
}

class World {
  readonly random: SeededRandom;
  readonly storage: BucketStorage;
  readonly model = new Model();
  readonly hub: SyncHub;
  readonly clients = Array.from({ length: CLIENTS }, () => new ScriptedSyncClient());
  readonly connections = new Map<number, ScriptedConnection>();
  readonly #writer: GenerationWriter;
  #commits = 0;

  constructor(random: SeededRandom, storage: BucketStorage, writer: GenerationWriter) {
    this.random = random;
    this.storage = storage;
    this.#writer = writer;
    this.hub = new SyncHub({
      storage,
      planFor: () => PLAN,
      limits: { chunkBytes: 300, supersedeAfterOps: 4, minCheckpointIntervalMs: 0 },
      clock: new FakeClock(),
      logger: silentLogger,
      random: () => 0.5,
    });
  }

  below(n: number): number {
    return this.random.int(n);
  }

  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.random.chance(0.4));
  }

  async step(): Promise<void> {
    const client = this.below(CLIENTS);
    const dice = this.below(20);
    if (dice < 9) await this.write();
    else if (dice < 10) await this.compact();
    else if (dice < 11) await this.storage.writeCheckpoints.create(`u${client}`, this.#position());
    else if (dice < 13) this.disconnect(client);
    else if (dice < 15) await this.connection(client).drain();
    else await takeIfAny(this.connection(client));
  }

  async write(): Promise<void> {
    const changes = Array.from({ length: 1 + this.below(4) }, () => this.#change());
    const isCommit = this.random.chance(0.7);
    if (isCommit) this.#commits += 1;
    const checkpoint = isCommit ? this.#position() : undefined;
    await this.#writer.write({ changes, resume: '', checkpoint });
  }

  async compact(): Promise<void> {
    await this.#writer.compact({ maxMs: 1000 });
  }

  connection(client: number): ScriptedConnection {
    const existing = this.connections.get(client);
    const connection = existing?.ended === false ? existing : this.#connect(client);
    this.connections.set(client, connection);
    return connection;
  }

  disconnect(client: number): void {
    this.connections.get(client)?.close();
    this.connections.delete(client);
  }

  #connect(client: number): ScriptedConnection {
    const format = this.random.chance(0.5) ? 'bson' : 'ndjson';
    const held = must(this.clients[client]).heldBuckets();
    const session = this.hub.open({
      request: parseStreamRequest({
        raw_data: true,
        buckets: held.map(({ name, after }) => ({ name, after: String(after) })),
      }),
      claims: { sub: `u${client}` },
      userKey: `u${client}`,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format,
      signal: new AbortController().signal,
    });
    return new ScriptedConnection(session, format, must(this.clients[client]));
  }

  #change(): RowChange {
    if (this.random.chance(0.2)) return this.#membership();
    const id = `row${this.below(12)}`;
    if (this.random.chance(0.3)) {
      this.model.rows.delete(id);
      return { kind: 'delete', tableId: 1, key: id };
    }
    const data = JSON.stringify({ id, v: this.below(1000), pad: 'x'.repeat(this.below(80)) });
    const buckets = this.some(BUCKETS);
    this.model.rows.set(id, { data, buckets });
    const outputs = [
      { objectType: 't', objectId: id, data, buckets: buckets.map((name) => `1#${name}`) },
    ];
    return { kind: 'put', tableId: 1, key: id, row: { outputs, lookups: [] } };
  }

  #membership(): RowChange {
    const user = `u${this.below(CLIENTS)}`;
    const buckets = this.some(['q', 'r', 's']);
    this.model.members.set(user, buckets);
    const lookups = buckets.map((values) => ({ key: `1#member["${user}"]`, values }));
    return { kind: 'put', tableId: 2, key: user, row: { outputs: [], lookups } };
  }

  #position(): string {
    return `p${String(this.#commits).padStart(6, '0')}`;
  }
}

async function takeIfAny(connection: ScriptedConnection): Promise<void> {
  if (await connection.hasMore()) await connection.take();
}

async function run(seed: number): Promise<void> {
  const storage = new MemoryStorage();
  const configs = { serving: scriptedConfig(PLAN, '1#') };
  const generation = await storage.createGeneration({ configs, createdAtMs: 0 });
  const writer = await storage.openWriter(generation.id);
  await writer.write({ changes: [], resume: '', checkpoint: 'p', activate: true });
  const world = new World(new SeededRandom(seed), storage, writer);
  for (let i = 0; i < STEPS; i += 1) await world.step();
  await writer.write({ changes: [], resume: '', checkpoint: 'q' });
  for (let client = 0; client < CLIENTS; client += 1) {
    await settle();
    await world.connection(client).drain();
    const held = must(world.clients[client]).rows();
    const shown = [...held].map(([row, data]) => `${row.replace(/t\/(\w+)\/.*/, '$1')}=${data}`);
    expect(shown.toSorted(), `client ${client} of seed ${seed}`).toEqual(
      world.model.visibleTo(`u${client}`),
    );
    expect(must(world.clients[client]).completed).toBeDefined();
  }
  expect(world.hub.stats().connections).toBe(CLIENTS);
  await world.hub[Symbol.asyncDispose]();
}

describe('random histories with compaction and reconnects', () => {
  // The clients check order, checksums and write checkpoints on every line.
  test.each(Array.from({ length: 40 }, (_, i) => i + 1))('seed %i', async (seed) => {
    await run(seed);
  });
});
