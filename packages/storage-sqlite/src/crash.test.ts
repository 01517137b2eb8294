import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '@sluice/base';
import { decodeOpElements } from '@sluice/protocol';
import type { BucketStorage, GenerationReader, GenerationWriter } from '@sluice/storage';
import { MemoryStorage, SeededRandom } from '@sluice/testing';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, expect, it } from 'vitest';
import {
  ALL_BUCKETS,
  ALL_LOOKUP_KEYS,
  discardedBefore,
  randomBatch,
} from './crash-test/random-batches.ts';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const KILLS = 6;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-crash-'));

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the victim until it has reported `steps` more, then kills it; the last batch it reported. */
async function runAndKill(file: string, seed: number, steps: number): Promise<number> {
  const victim = path.join(import.meta.dirname, 'crash-test', 'victim.ts');
  const args = ['-C', '@sluice/source', '--import', 'tsx', victim, file, String(seed)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let [last, reported] = [-1, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'discard') last = Number(line);
    reported += 1;
    if (reported === steps) child.kill('SIGKILL');
  }
  const [, signal] = (await exited) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return last;
}

/** What a new client ends up with, after comparing the sum of what it received. */
async function rowsOf(reader: GenerationReader, bucket: string): Promise<readonly string[]> {
  const upTo = reader.checkpoint()?.opId ?? 0n;
  const rows = new Map<string, string>();
  let [sum, after] = [0, 0n];
  let fresh: 'start' | number = 'start';
  for (let more = true; more;) {
    const chunk = await reader.readOps({ bucket, after, upTo, maxBytes: 20_000, fresh });
    if (chunk === undefined) break;
    for (const op of chunk.parts.flatMap((part) => [...decodeOpElements(part)])) {
      sum = (sum + op.checksum) >>> 0;
      if (op.kind === 'CLEAR') rows.clear();
      if (op.kind === 'PUT') rows.set(`${op.objectType}/${op.objectId}/${op.subkey}`, op.data);
      if (op.kind === 'REMOVE') rows.delete(`${op.objectType}/${op.objectId}/${op.subkey}`);
    }
    [after, fresh, more] = [chunk.lastOpId, chunk.epoch, chunk.hasMore];
  }
  const [state] = await reader.bucketStates([bucket], upTo);
  expect(sum).toBe(state?.checksum);
  // Subkeys are salted per generation, so they are left out of what is compared.
  return [...rows].map(([id, data]) => `${id.split('/')[1]}=${data}`).toSorted();
}

async function contentOf(storage: BucketStorage): Promise<unknown> {
  const generation = must((await storage.generations())[0]);
  await using reader = await storage.openReader(generation.id);
  await using writer = await storage.openWriter(generation.id);
  const at = reader.checkpoint()?.opId ?? 0n;
  const lookups = await reader.lookup(ALL_LOOKUP_KEYS, at);
  const refs = Array.from({ length: 300 }, (_, index) => ({ tableId: 1, key: `row ${index}` }));
  const copies = await writer.loadCopies(refs);
  const { resume, tables } = await writer.progress();
  return {
    position: reader.checkpoint()?.position,
    resume,
    tables,
    rows: await Promise.all(ALL_BUCKETS.map((bucket) => rowsOf(reader, bucket))),
    lookups: ALL_LOOKUP_KEYS.map((key) => lookups.get(key)?.toSorted()),
    copies: copies.map((copy) => copy && Buffer.from(copy).toString()),
  };
}

async function resumeOf(storage: BucketStorage): Promise<number> {
  const generation = must((await storage.generations())[0]);
  await using writer = await storage.openWriter(generation.id);
  return Number((await writer.progress()).resume);
}

async function finishDiscard(storage: BucketStorage, n: number): Promise<void> {
  const generation = must((await storage.generations())[0]);
  await using writer = await storage.openWriter(generation.id);
  await discardAll(writer, n);
}

async function discardAll(writer: GenerationWriter, n: number): Promise<void> {
  const discarded = discardedBefore(n);
  while (discarded && (await writer.discard(discarded, { maxMs: 1000 })).more);
}

function orphans(file: string): number {
  const db = new SqliteDatabase(file, { readonly: true });
  const query = 'SELECT count(*) FROM segments WHERE bucket_id NOT IN (SELECT id FROM buckets)';
  const count = db.prepare<[], number>(query).pluck().get() ?? 0;
  db.close();
  return count;
}

it(
  `holds a prefix of what was written, with all that was reported, whenever killed (SEED=${seed})`,
  { timeout: 120_000 },
  async () => {
    const random = new SeededRandom(seed);
    const file = path.join(folder, 'buckets.db');
    await using reference = new MemoryStorage();
    const { id } = await reference.createGeneration(NEW_GENERATION);
    let next = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const reported = await runAndKill(file, seed, 1 + random.int(25));
      await using storage = await openSqliteStorage({ path: file });
      const durable = await resumeOf(storage);
      expect(durable).toBeGreaterThanOrEqual(reported);
      await using writer = await reference.openWriter(id);
      for (; next <= durable; next++) {
        await discardAll(writer, next);
        await writer.write(randomBatch(seed, next));
      }
      // The victim may have been killed in the middle of this one.
      await discardAll(writer, next);
      await writer[Symbol.asyncDispose]();
      await finishDiscard(storage, durable + 1);
      const content = await contentOf(storage);
      expect(content, `SEED=${seed}, kill ${kill}`).toEqual(await contentOf(reference));
      expect(orphans(file), 'segments that no bucket has').toBe(0);
    }
  },
);
