import { must, silentLogger } from '@sluice/base';
import type { LookupEntry, RowOutput } from '@sluice/model';
import { parseStreamRequest } from '@sluice/protocol';
import type {
  BucketStorage,
  Discarded,
  GenerationConfigs,
  GenerationWriter,
  RowChange,
  StoredConfig,
} from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
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
  type ScriptedStream,
} from '@sluice/testing';
import { expect, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

const CLIENTS = 3;
const STEPS = 150;
const ROWS = 10;
const VERSIONS = 3;

/** Rows of `all` are in one bucket; those of `own` in one per group, found by membership. */
const NAMES = ['all', 'own', 'some'] as const;

interface Row {
  readonly id: string;
  readonly v: number;
  readonly group: number;
}

interface Deployed {
  readonly config: StoredConfig;
  readonly versions: ReadonlyMap<string, number>;
}

/** A definition's content changes with its version: another third of the rows is in its buckets. */
function isIn(row: Row, version: number): boolean {
  return row.v % VERSIONS !== version % VERSIONS;
}

function streamOf(name: string, version: number): ScriptedStream {
  const hash = `${name} version ${version}`;
  if (name === 'own') return { name, hash, lookupKey: (request) => subjectOf(request) };
  return { name, hash, priority: name === 'all' ? 1 : 3, buckets: () => [name] };
}

function outputsOf(row: Row, { config, versions }: Deployed): RowOutput[] {
  const data = JSON.stringify(row);
  return [...versions].flatMap(([name, version]) => {
    if (!isIn(row, version)) return [];
    const prefix = must(config.prefixes[must(streamOf(name, version).hash)]);
    const bucket = name === 'own' ? `group${row.group}` : name;
    return [{ objectType: name, objectId: row.id, data, buckets: [prefix + bucket] }];
  });
}

class World {
  readonly random: SeededRandom;
  readonly hub: SyncHub;
  readonly clients = Array.from({ length: CLIENTS }, () => new ScriptedSyncClient());
  readonly connections = new Map<number, ScriptedConnection>();
  readonly rows = new Map<string, Row>();
  readonly members = new Map<string, readonly number[]>();
  readonly storage: BucketStorage;
  readonly #writer: GenerationWriter;
  readonly #plans = new Map<string, SyncPlan>();
  #serving: Deployed;
  #next: Deployed | undefined;
  #previous: Deployed | undefined;
  /** Rows that are not yet evaluated for `#next`. */
  #toFill: string[] = [];
  #toDiscard: Discarded[] = [];
  #commits = 0;
  switches = 0;

  private constructor(random: SeededRandom, storage: BucketStorage, writer: GenerationWriter) {
    this.random = random;
    this.storage = storage;
    this.#writer = writer;
    this.#serving = { config: scriptedConfig(scriptedPlan([]), ''), versions: new Map() };
    this.hub = new SyncHub({
      storage,
      planFor: ({ configs }) => must(this.#plans.get(configs.serving.hash)),
      limits: { chunkBytes: 300, supersedeAfterOps: 4, minCheckpointIntervalMs: 0 },
      clock: new FakeClock(),
      logger: silentLogger,
      random: () => 0.5,
    });
  }

  static async begin(seed: number): Promise<World> {
    const storage = new MemoryStorage();
    const plan = scriptedPlan([]);
    const configs = { serving: scriptedConfig(plan, '') };
    const { id } = await storage.createGeneration({ configs, createdAtMs: 0 });
    const writer = await storage.openWriter(id);
    const world = new World(new SeededRandom(seed), storage, writer);
    world.#plans.set(plan.hash, plan);
    await writer.write({ changes: [], resume: '', checkpoint: 'p', activate: true });
    await world.#deploy();
    while (world.#next !== undefined) await world.#fillSome();
    return world;
  }

  async step(): Promise<void> {
    const client = this.random.int(CLIENTS);
    const dice = this.random.int(24);
    if (dice < 8) await this.#write();
    else if (dice < 9) await this.#writer.compact({ maxMs: 1000 });
    else if (dice < 11) await (this.#next === undefined ? this.#deploy() : this.#fillSome());
    else if (dice < 12) await this.#rollBack();
    else if (dice < 13) await this.#discard();
    else if (dice < 14) this.#disconnect(client);
    else if (dice < 17) await this.connection(client).drain();
    else if (await this.connection(client).hasMore()) await this.connection(client).take();
  }

  connection(client: number): ScriptedConnection {
    const existing = this.connections.get(client);
    const connection = existing?.ended === false ? existing : this.#connect(client);
    this.connections.set(client, connection);
    return connection;
  }

  /** What the serving config stands for, from the rows alone. */
  visibleTo(client: number): string[] {
    const groups = this.members.get(`u${client}`) ?? [];
    return [...this.rows.values()]
      .flatMap((row) => outputsOf(row, this.#serving))
      .filter(({ objectType, buckets }) => {
        return (
          objectType !== 'own' || groups.some((group) => buckets[0]?.endsWith(`#group${group}`))
        );
      })
      .map(
        ({ buckets, objectType, objectId, data }) =>
          `${buckets[0]} ${objectType}/${objectId}=${data}`,
      )
      .toSorted();
  }

  async close(): Promise<void> {
    await this.#writer.write({ changes: [], resume: '', checkpoint: 'q' });
  }

  /** Another version of some definitions, others dropped or added; what is known keeps its prefix. */
  async #deploy(): Promise<void> {
    const versions = new Map<string, number>();
    for (const name of NAMES) {
      const version = this.#serving.versions.get(name) ?? 0;
      if (this.random.chance(0.8)) {
        versions.set(name, this.random.chance(0.4) ? version + 1 + this.random.int(2) : version);
      }
    }
    const plan = scriptedPlan([...versions].map(([name, version]) => streamOf(name, version)));
    this.#plans.set(plan.hash, plan);
    const known = { ...this.#previous?.config.prefixes, ...this.#serving.config.prefixes };
    const fresh = `${await this.storage.takeFillNumber()}#`;
    const config = scriptedConfig(plan, ({ name, hash }) => known[hash] ?? `${name}.${fresh}`);
    this.#next = { config, versions };
    this.#toFill = [...this.rows.keys(), ...this.members.keys()];
    await this.#writer.write({ changes: [], resume: '', configs: this.#configs() });
  }

  /** Evaluates some rows again; with the last of them the config takes over. */
  async #fillSome(): Promise<void> {
    const keys = this.#toFill.splice(0, 6);
    const changes = keys.map((key) => this.#evaluated(key));
    const isLast = this.#toFill.length === 0;
    if (!isLast) return void (await this.#writer.write({ changes, resume: '' }));
    const before = this.#previous;
    this.#previous = this.#serving;
    this.#serving = must(this.#next);
    this.#next = undefined;
    this.switches += 1;
    await this.#commit(changes, this.#configs());
    if (before !== undefined) this.#forget(before);
  }

  async #rollBack(): Promise<void> {
    if (this.#next !== undefined || this.#previous === undefined) return;
    [this.#serving, this.#previous] = [this.#previous, this.#serving];
    this.switches += 1;
    await this.#commit([], this.#configs());
  }

  #forget(deployed: Deployed): void {
    const kept = [this.#serving, this.#previous].flatMap((one) =>
      Object.values(one?.config.prefixes ?? {}),
    );
    const prefixes = Object.values(deployed.config.prefixes).filter((one) => !kept.includes(one));
    if (prefixes.length > 0) this.#toDiscard.push({ prefixes, tables: [] });
  }

  async #discard(): Promise<void> {
    const what = this.#toDiscard.shift();
    if (what !== undefined) await this.#writer.discard(what, { maxMs: 1000 });
  }

  #configs(): GenerationConfigs {
    return {
      serving: this.#serving.config,
      next: this.#next?.config,
      previous: this.#previous?.config,
    };
  }

  async #write(): Promise<void> {
    const changes = Array.from({ length: 1 + this.random.int(3) }, () => this.#change());
    if (this.random.chance(0.7)) await this.#commit(changes);
    else await this.#writer.write({ changes, resume: '' });
  }

  async #commit(changes: readonly RowChange[], configs?: GenerationConfigs): Promise<void> {
    this.#commits += 1;
    const checkpoint = `p${String(this.#commits).padStart(6, '0')}`;
    await this.#writer.write({ changes, resume: '', checkpoint, configs });
  }

  #change(): RowChange {
    const { random } = this;
    if (random.chance(0.2)) {
      const user = `u${random.int(CLIENTS)}`;
      this.members.set(
        user,
        [0, 1, 2].filter(() => random.chance(0.5)),
      );
      return this.#evaluated(user);
    }
    const id = `row${random.int(ROWS)}`;
    if (random.chance(0.25)) this.rows.delete(id);
    else this.rows.set(id, { id, v: random.int(1000), group: random.int(3) });
    return this.#evaluated(id);
  }

  /** The row, or the memberships, as all configs of the generation see it. */
  #evaluated(key: string): RowChange {
    const all = [this.#serving, this.#next, this.#previous].filter((one) => one !== undefined);
    const row = this.rows.get(key);
    const groups = this.members.get(key);
    if (row === undefined && groups === undefined) return { kind: 'delete', tableId: 1, key };
    const outputs = row === undefined ? [] : all.flatMap((one) => outputsOf(row, one));
    const lookups = new Map<string, LookupEntry>();
    for (const { config, versions } of all) {
      const version = versions.get('own');
      if (version === undefined) continue;
      const prefix = must(config.prefixes[must(streamOf('own', version).hash)]);
      for (const group of groups ?? []) {
        const entry = { key: prefix + key, values: `group${group}` };
        lookups.set(JSON.stringify(entry), entry);
      }
    }
    const evaluated = { outputs: distinct(outputs), lookups: [...lookups.values()] };
    return { kind: 'put', tableId: 1, key, row: evaluated };
  }

  #disconnect(client: number): void {
    this.connections.get(client)?.close();
    this.connections.delete(client);
  }

  #connect(client: number): ScriptedConnection {
    const format = this.random.chance(0.5) ? 'bson' : 'ndjson';
    const held = must(this.clients[client]).heldBuckets();
    const buckets = held.map(({ name, after }) => ({ name, after: String(after) }));
    const session = this.hub.open({
      request: parseStreamRequest({ raw_data: true, buckets }),
      claims: { sub: `u${client}` },
      userKey: `u${client}`,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format,
      signal: new AbortController().signal,
    });
    return new ScriptedConnection(session, format, must(this.clients[client]));
  }
}

/** One output for each definition that configs share. */
function distinct(outputs: readonly RowOutput[]): RowOutput[] {
  const found = new Map<string, RowOutput & { readonly buckets: string[] }>();
  for (const output of outputs) {
    const { objectType, objectId, data, buckets } = output;
    const name = `${objectType}/${objectId}`;
    const known = found.get(name) ?? { objectType, objectId, data, buckets: [] };
    known.buckets.push(...buckets.filter((bucket) => !known.buckets.includes(bucket)));
    found.set(name, known);
  }
  return [...found.values()];
}

// The clients check on every line that no operation of a bucket they hold comes twice, that
// checkpoints do not go back from one connection to the next, and that checksums match.
test.each(Array.from({ length: 30 }, (_, i) => i + 1))(
  'seed %i: while configs switch, clients end with exactly the rows of the one that serves',
  async (seed) => {
    const world = await World.begin(seed);
    for (let i = 0; i < STEPS; i += 1) await world.step();
    await world.close();
    expect(world.switches).toBeGreaterThan(1);
    await settle();
    for (let client = 0; client < CLIENTS; client += 1) {
      // A stream that a switch ends is followed by another one.
      await world.connection(client).drain();
      await world.connection(client).drain();
      const held = must(world.clients[client]).rows();
      const shown = [...held].map(([row, data]) => `${row.replace(/\/[^/]*\/[^/]*$/, '')}=${data}`);
      expect(shown.toSorted(), `client ${client}`).toEqual(world.visibleTo(client));
    }
    await world.hub[Symbol.asyncDispose]();
  },
);
