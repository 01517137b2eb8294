import { rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openConnection } from '@sluice/client-node';
import type { DataLine, PutOp } from '@sluice/protocol';
import { installSchema } from './schema/install-schema.ts';
import { tableOf } from './testing/tables.ts';
import { SqliteSyncStore } from './sync/store/sqlite-sync-store.ts';
import { createSyncLayout } from './sync/store/sync-layout.ts';

/** `node -C @sluice/source --import tsx packages/client/src/apply.bench.ts [rows]` */
const rows = Number(process.argv[2] ?? 100_000);
const OPS_PER_LINE = 1000;

function line(start: number): DataLine {
  const ops = Array.from({ length: OPS_PER_LINE }, (_, index): PutOp => {
    const n = start + index;
    const id = `${((n * 2654435761) >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
    const data = JSON.stringify({
      id,
      title: `A thing to do, number ${n}`,
      done: n & 1,
      score: n / 3,
      notes: 'x'.repeat(80),
    });
    return {
      kind: 'PUT',
      opId: BigInt(n + 1),
      objectType: 'tasks',
      objectId: id,
      subkey: `tasks/${id}`,
      checksum: n,
      data,
    };
  });
  const nextAfter = BigInt(start + OPS_PER_LINE);
  return { kind: 'data', bucket: 'b', after: BigInt(start), nextAfter, hasMore: true, ops };
}

const dir = mkdtempSync(path.join(tmpdir(), 'sluice-apply-'));
for (let run = 0; run < 3; run++) {
  const connection = openConnection(path.join(dir, `${run}.db`));
  const schema = {
    tables: [tableOf('tasks', ['title TEXT', 'done INTEGER', 'score REAL', 'notes TEXT'])],
  };
  installSchema(connection, schema);
  createSyncLayout(connection);
  const gate = { state: () => ({ pending: 0, target: undefined, seen: undefined, sequence: 0 }) };
  const store = new SqliteSyncStore({ connection, schema, gate, now: Date.now });
  const lines = Array.from({ length: rows / OPS_PER_LINE }, (_, index) =>
    line(index * OPS_PER_LINE),
  );
  const startedAt = performance.now();
  for (const each of lines) store.ingest([each]);
  const ingestedAt = performance.now();
  const checksum = lines
    .flatMap(({ ops }) => ops)
    .reduce((sum, op) => (sum + op.checksum) >>> 0, 0);
  const bucket = { bucket: 'b', checksum, count: rows, priority: 3, subscriptions: [] };
  const scope = {
    kind: 'full',
    lastOpId: BigInt(rows),
    writeCheckpoint: undefined,
    buckets: [bucket],
  } as const;
  const validatedAt = performance.now();
  if (store.validate(scope).length > 0) throw new Error('sums differ');
  store.publish(scope);
  const publishedAt = performance.now();
  const plain = openConnection(path.join(dir, `plain${run}.db`));
  plain.exec(
    'CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT, done INTEGER, score REAL, notes TEXT)',
  );
  const data = lines
    .flatMap(({ ops }) => ops)
    .map((op) => Object.values(JSON.parse((op as PutOp).data) as object));
  const plainAt = performance.now();
  plain.exec('BEGIN');
  const insert = plain.prepare('INSERT INTO tasks VALUES (?, ?, ?, ?, ?)');
  for (const values of data) insert.run(values);
  plain.exec('COMMIT');
  const endedAt = performance.now();
  const rate = (from: number, to: number) => `${Math.round(rows / (to - from))} k/s`;
  const figures = {
    ingest: rate(startedAt, ingestedAt),
    publish: rate(validatedAt, publishedAt),
    together: `${Math.round(rows / (ingestedAt - startedAt + publishedAt - validatedAt))} k/s`,
    plainInserts: rate(plainAt, endedAt),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  connection.close();
  plain.close();
}
rmSync(dir, { recursive: true });
