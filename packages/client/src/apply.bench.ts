import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openConnection } from '@sluice/client-node';
import type { DataLine, PutOp } from '@sluice/protocol';
import { installSchema } from './schema/install-schema.ts';
import { tableOf } from './testing/tables.ts';
import { SqliteSyncStore } from './sync/store/sqlite-sync-store.ts';
import { createSyncLayout } from './sync/store/sync-layout.ts';

/**
 * `node -C @sluice/source --import tsx packages/client/src/apply.bench.ts [rows] [again] [buckets] [runs]`. Of `again` rows (a share of all)
 * there is a second operation; every row is in each of the buckets.
 */
const [rows = 100_000, again = 0, buckets = 1, runs = 3] = process.argv.slice(2).map(Number);
const OPS_PER_LINE = 1000;
const operations = Math.ceil((rows * (1 + again)) / OPS_PER_LINE) * OPS_PER_LINE;

/** Operation `index` of a bucket: those behind the first of each row are on rows here and there. */
function operation(index: number, bucket: number): PutOp {
  const n = index < rows ? index : (index * 7919) % rows;
  const id = `${((n * 2654435761) >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
  const data = JSON.stringify({
    id,
    title: `A thing to do, number ${index}`,
    done: n & 1,
    score: n / 3,
    notes: 'x'.repeat(80),
  });
  return {
    kind: 'PUT',
    opId: BigInt(index * buckets + bucket + 1),
    objectType: 'tasks',
    objectId: id,
    subkey: `tasks/${id}`,
    checksum: 1,
    data,
  };
}

function line(start: number, bucket: number): DataLine {
  const ops = Array.from({ length: OPS_PER_LINE }, (_, at) => operation(start + at, bucket));
  const [after, nextAfter] = [0n, ops.at(-1)?.opId ?? 0n];
  return { kind: 'data', bucket: `b${bucket}`, after, nextAfter, hasMore: true, ops };
}

/** Milliseconds of processor, which other work on the machine disturbs least. */
function timed(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Of one first download into `file`. */
function download(file: string): { readonly ingest: number; readonly publish: number } {
  const connection = openConnection(file);
  const columns = ['title TEXT', 'done INTEGER', 'score REAL', 'notes TEXT'];
  const schema = { tables: [tableOf('tasks', columns)] };
  installSchema(connection, schema);
  createSyncLayout(connection);
  const gate = { state: () => ({ pending: 0, target: undefined, seen: undefined, sequence: 0 }) };
  const store = new SqliteSyncStore({ connection, schema, gate, now: Date.now });
  let ingest = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    for (let start = 0; start < operations; start += OPS_PER_LINE) {
      const next = line(start, bucket);
      ingest += timed(() => store.ingest([next]));
    }
  }
  const bucketOf = (_: unknown, bucket: number) => ({ bucket: `b${bucket}`, checksum: operations });
  const checkpoint = Array.from({ length: buckets }, bucketOf).map((bucket) => ({
    ...bucket,
    count: operations,
    priority: 3,
    subscriptions: [],
  }));
  const lastOpId = BigInt(operations * buckets);
  const scope = {
    kind: 'full',
    lastOpId,
    writeCheckpoint: undefined,
    buckets: checkpoint,
  } as const;
  if (store.validate(scope).length > 0) throw new Error('sums differ');
  const publish = timed(() => store.publish(scope));
  connection.close();
  return { ingest, publish };
}

/** As many rows into a plain table: what SQLite itself takes. */
function insertPlainly(file: string): number {
  const connection = openConnection(file);
  connection.exec(
    'CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT, done INTEGER, score REAL, notes TEXT)',
  );
  const values = Array.from({ length: rows }, (_, index) =>
    Object.values(JSON.parse(operation(index, 0).data) as Record<string, string | number>),
  );
  const ms = timed(() => {
    connection.exec('BEGIN');
    const insert = connection.prepare('INSERT INTO tasks VALUES (?, ?, ?, ?, ?)');
    for (const row of values) insert.run(row);
    connection.exec('COMMIT');
  });
  connection.close();
  return ms;
}

const dir = mkdtempSync(path.join(tmpdir(), 'sluice-apply-'));
const rate = (ms: number) => `${Math.round(rows / ms)} k/s`;
for (let run = 0; run < runs; run++) {
  const file = path.join(dir, `${run}.db`);
  const { ingest, publish } = download(file);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  const figures = {
    ingest: rate(ingest),
    publish: rate(publish),
    together: rate(ingest + publish),
    plainInserts: rate(insertPlainly(path.join(dir, `plain${run}.db`))),
    peakSoFar: `${peak} MB`,
    file: `${Math.round(statSync(file).size / 2 ** 20)} MB`,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
rmSync(dir, { recursive: true });
