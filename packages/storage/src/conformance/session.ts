import type { Checkpoint, EvaluatedRow, LookupEntry, RowOutput } from '@sluice/model';
import { expect } from 'vitest';
import type {
  BucketStorage,
  Discarded,
  Generation,
  GenerationReader,
  GenerationWriter,
  NewGeneration,
  PutRow,
  RowChange,
  StoredConfig,
  WriteBatch,
} from '../contract.ts';
import { BucketClient } from './bucket-client.ts';
import type { StorageTarget } from './target.ts';

const DEADLINE_MS = 5000;

/** One storage with one generation, its writer and a reader. */
export class Session {
  readonly storage: BucketStorage;
  readonly generation: Generation;
  readonly writer: GenerationWriter;
  readonly reader: GenerationReader;
  #position = 0;

  private constructor(
    storage: BucketStorage,
    generation: Generation,
    writer: GenerationWriter,
    reader: GenerationReader,
  ) {
    this.storage = storage;
    this.generation = generation;
    this.writer = writer;
    this.reader = reader;
  }

  static async on(storage: BucketStorage, existing?: Generation): Promise<Session> {
    const generation = existing ?? (await storage.createGeneration(newGeneration()));
    const writer = await storage.openWriter(generation.id);
    const reader = await storage.openReader(generation.id);
    return new Session(storage, generation, writer, reader);
  }

  /** Writes changes without a checkpoint. */
  async write(changes: readonly RowChange[], rest: Partial<WriteBatch> = {}): Promise<void> {
    await this.writer.write({ changes, resume: 'r', ...rest });
  }

  /** Writes changes, publishes a checkpoint and waits until the reader knows of it. */
  async commit(
    changes: readonly RowChange[] = [],
    rest: Partial<WriteBatch> = {},
  ): Promise<Checkpoint> {
    this.#position += 1;
    const checkpoint = rest.checkpoint ?? `p${String(this.#position).padStart(8, '0')}`;
    const published = await this.writer.write({ changes, resume: 'r', ...rest, checkpoint });
    expect(published?.position).toBe(checkpoint);
    await until(() => this.reader.checkpoint()?.position === checkpoint);
    expect(this.reader.checkpoint()).toEqual(published);
    return published as Checkpoint;
  }

  /** Compacts until there is nothing left to do; gives the sum of dropped ops. */
  async compact(): Promise<number> {
    let dropped = 0;
    for (;;) {
      const report = await this.writer.compact({ maxMs: 1000 });
      dropped += report.opsDropped;
      if (!report.more) return dropped;
    }
  }

  /** Discards, giving each call no more than `maxMs`; gives how many calls that took. */
  async discard(what: Partial<Discarded>, maxMs = 1000): Promise<number> {
    for (let calls = 1; ; calls++) {
      const all = { prefixes: [], tables: [], ...what };
      if (!(await this.writer.discard(all, { maxMs })).more) return calls;
    }
  }

  /** A client that has just downloaded the bucket from nothing, its checksum compared. */
  async client(bucket: string, checkpoint?: Checkpoint): Promise<BucketClient> {
    const client = new BucketClient(bucket);
    const at = checkpoint ?? this.reader.checkpoint();
    expect(at).toBeDefined();
    await client.download(this.reader, at?.opId ?? 0n);
    await client.verify(this.reader, at?.opId ?? 0n);
    return client;
  }

  /** What a new client sees: `type/id=data`, sorted. */
  async rows(bucket: string): Promise<readonly string[]> {
    return (await this.client(bucket)).rows();
  }

  async close(): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.writer[Symbol.asyncDispose]();
    await this.storage[Symbol.asyncDispose]();
  }
}

/** Runs `body` on a new storage and disposes it whatever happens. */
export async function withSession(
  target: StorageTarget,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await Session.on(await target.open());
  try {
    await body(session);
  } finally {
    await session.close();
  }
}

export function newGeneration(configText = 'config'): NewGeneration {
  return { configs: { serving: storedConfig(configText) }, createdAtMs: 1_700_000_000_000 };
}

export function storedConfig(text: string, prefixes: Record<string, string> = {}): StoredConfig {
  return { text, hash: `hash of ${text}`, prefixes, deployedAtMs: 1_700_000_000_001 };
}

/** Waits for a condition; fails after a few seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('A condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function output(
  objectType: string,
  objectId: string,
  data: string,
  ...buckets: string[]
): RowOutput {
  return { objectType, objectId, data, buckets };
}

export function row(outputs: readonly RowOutput[], lookups: readonly LookupEntry[] = []) {
  return { outputs, lookups } satisfies EvaluatedRow;
}

/** A row of table 1 with one output whose id is the key. */
export function put(key: string, data: string, ...buckets: string[]): PutRow {
  return { kind: 'put', tableId: 1, key, row: row([output('t', key, data, ...buckets)]) };
}

export function putRow(key: string, evaluated: EvaluatedRow, tableId = 1): PutRow {
  return { kind: 'put', tableId, key, row: evaluated };
}

export function remove(key: string, tombstone = false): RowChange {
  return { kind: 'delete', tableId: 1, key, tombstone };
}
