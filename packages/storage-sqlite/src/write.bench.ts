/* eslint-disable no-console -- a script that prints its findings */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import type { BucketStorage, GenerationReader, GenerationWriter, RowChange } from '@sluice/storage';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

/**
 * What one core writes and reads: `node -C @sluice/source --import tsx
 * packages/storage-sqlite/src/write.bench.ts [snapshot|stream|small|read|compact]...`
 */
const SNAPSHOT_ROWS = Number(process.env['BENCH_ROWS'] ?? 200_000);
const BATCH_ROWS = 5000;
const STREAM_ROWS = 100_000;

const only = process.argv.slice(2);
const wants = (name: string) => only.length === 0 || only.includes(name);

function row(index: number, revision: number, buckets: readonly string[]): RowChange {
  const key = String(index).padStart(8, '0');
  const text = `Row ${index} at revision ${revision}`.padEnd(150, '.');
  const data = `{"id":"${key}","list_id":"${index % 100}","title":"${text}"}`;
  const outputs = [{ objectType: 'todos', objectId: key, data, buckets }];
  return { kind: 'put', tableId: 16384, key, row: { outputs, lookups: [] } };
}

const twoBuckets = (index: number) => [`all[]`, `by_list["${index % 100}"]`];

async function inTemporaryStorage(
  run: (
    storage: BucketStorage,
    writer: GenerationWriter,
    reader: GenerationReader,
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-bench-'));
  try {
    await using storage = await openSqliteStorage({ path: path.join(folder, 'buckets.db') });
    const { id } = await storage.createGeneration(NEW_GENERATION);
    await using writer = await storage.openWriter(id);
    await using reader = await storage.openReader(id);
    await run(storage, writer, reader);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Spent {
  wallMs: number;
  cpuMs: number;
}

async function timed(run: () => Promise<unknown>): Promise<Spent> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

/** The processor time tells more than the clock on a machine that others use too. */
function report(what: string, count: number, unit: string, { wallMs: ms, cpuMs }: Spent): void {
  const rate = Math.round((count / ms) * 1000).toLocaleString('en');
  const rssMb = Math.round(process.memoryUsage().rss / 2 ** 20);
  const figures = `${ms.toFixed(0)} ms, processor ${cpuMs.toFixed(0)} ms, RSS ${rssMb} MB`;
  console.log(`${what.padEnd(46)} ${rate.padStart(10)} ${unit}/s  ${figures}`);
}

/** Changes are made before the clock starts, a batch at a time, as evaluation would. */
async function writeAll(
  writer: GenerationWriter,
  count: number,
  batchRows: number,
  change: (index: number) => RowChange,
): Promise<Spent> {
  const spent: Spent = { wallMs: 0, cpuMs: 0 };
  for (let from = 0; from < count; from += batchRows) {
    const changes = Array.from({ length: batchRows }, (_, at) => change(from + at));
    const position = String(from).padStart(9, '0');
    const batch = { changes, resume: position, checkpoint: position };
    const { wallMs, cpuMs } = await timed(() => writer.write(batch));
    spent.wallMs += wallMs;
    spent.cpuMs += cpuMs;
  }
  return spent;
}

async function download(reader: GenerationReader, bucket: string): Promise<number> {
  const upTo = reader.checkpoint()?.opId ?? 0n;
  let [ops, after] = [0, 0n];
  let fresh: 'start' | number = 'start';
  for (;;) {
    const chunk = await reader.readOps({ bucket, after, upTo, maxBytes: 1 << 20, fresh });
    if (chunk === undefined) return ops;
    ops += chunk.opCount;
    after = chunk.lastOpId;
    fresh = chunk.epoch;
    if (!chunk.hasMore) return ops;
  }
}

async function snapshot(): Promise<void> {
  await inTemporaryStorage(async (_, writer, reader) => {
    const spent = await writeAll(
      writer,
      SNAPSHOT_ROWS,
      BATCH_ROWS,
      (index) =>
        ({
          ...row(index, 0, twoBuckets(index)),
          ifAbsent: true,
        }) as RowChange,
    );
    report('snapshot, two buckets per row', SNAPSHOT_ROWS, 'rows', spent);
    for (const round of ['cold', 'cached']) {
      const spent = await timed(() => download(reader, 'all[]'));
      report(`download of a whole bucket, ${round}`, SNAPSHOT_ROWS, 'ops', spent);
    }
  });
}

async function stream(batchRows: number, scattered: boolean): Promise<void> {
  const buckets = scattered
    ? (index: number) => [`all[]`, `by_user["${index % 5000}"]`]
    : twoBuckets;
  await inTemporaryStorage(async (_, writer) => {
    await writeAll(writer, STREAM_ROWS, BATCH_ROWS, (index) => row(index, 0, buckets(index)));
    const count = Math.min(STREAM_ROWS, batchRows * 2000);
    const spent = await writeAll(writer, count, batchRows, (at) => {
      const index = (at * 7919) % STREAM_ROWS;
      return row(index, 1, buckets(index));
    });
    const kind = scattered ? '5,000 buckets' : '100 buckets';
    report(`updates, batches of ${batchRows}, ${kind}`, count, 'changes', spent);
  });
}

async function compaction(): Promise<void> {
  await inTemporaryStorage(async (_, writer, reader) => {
    await writeAll(writer, 200_000, BATCH_ROWS, (at) => {
      return row((at * 7919) % 10_000, Math.floor(at / 10_000), ['all[]']);
    });
    let dropped = 0;
    const spent = await timed(async () => {
      for (let more = true; more;) {
        const done = await writer.compact({ maxMs: 1000 });
        dropped += done.opsDropped;
        more = done.more;
      }
    });
    report('compaction of 200,000 ops over 10,000 rows', 200_000, 'ops', spent);
    console.log(`  dropped ${dropped}, a new client now gets ${await download(reader, 'all[]')}`);
  });
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
if (wants('snapshot')) await snapshot();
if (wants('stream')) await stream(10_000, false);
if (wants('scattered')) await stream(10_000, true);
if (wants('small')) await stream(1, false);
if (wants('compact')) await compaction();
