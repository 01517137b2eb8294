/**
 * Local inserts per second of processor time, captured and into a plain table, autocommit and in one transaction, in pairs.
 * Run: node -C @sluice/source --import tsx packages/client/src/capture.bench.ts
 */
import { openConnection } from '@sluice/client-node';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WriterSession } from './database/writer-session.ts';
import { installSchema } from './schema/install-schema.ts';
import { tableOf } from './testing/tables.ts';

const ROUNDS = 3;
const ROWS = 10_000;
const folder = mkdtempSync(path.join(tmpdir(), 'sluice-bench-'));

function open(kind: 'synced' | 'local', name: string) {
  const connection = openConnection(path.join(folder, name));
  const table = tableOf('t', ['title TEXT', 'done INTEGER', 'score REAL'], { kind });
  installSchema(connection, { tables: [table] });
  const written = new Set(['t', ...(kind === 'synced' ? ['sluice_crud'] : [])]);
  const session = new WriterSession(connection, {
    schema: { tables: [table] },
    writtenTables: () => written,
  });
  return { connection, session };
}

/** Of the processor, so that other work on the machine counts less. */
function seconds(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

const SQL = 'INSERT INTO t (id, title, done, score) VALUES (?, ?, ?, ?)';
const rows = () =>
  Array.from({ length: ROWS }, (_, index) => [
    crypto.randomUUID(),
    `title ${index}`,
    index % 2,
    Math.random(),
  ]);

for (let round = 0; round < ROUNDS; round++) {
  const figures: Record<string, number> = {};
  for (const kind of ['local', 'synced'] as const) {
    const { connection, session } = open(kind, `${kind}${round}.db`);
    const [one, two, three] = [rows(), rows(), rows()];
    figures[`${kind} batch`] = ROWS / seconds(() => void session.executeBatch(SQL, one));
    figures[`${kind} autocommit`] =
      ROWS /
      seconds(() => {
        for (const row of two) session.execute(SQL, row);
      });
    const insert = connection.prepare(SQL);
    figures[`${kind} bare`] =
      ROWS /
      seconds(() => {
        connection.exec('BEGIN');
        for (const row of three) insert.run(row as string[]);
        connection.exec('COMMIT');
      });
    connection.close();
  }
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value)}/s`);
  process.stdout.write(`${shown.join('  ')}\n`);
}
rmSync(folder, { recursive: true });
