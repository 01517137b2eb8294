import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { column, openDatabase, Schema, Table, type SluiceDatabase } from '@sluice/client-node';

/**
 * The database in the caller's thread against the one on threads of its own, in turns: single inserts awaited and at once, transactions, the
 * time from a write to the watch's result, and short reads beside a long one.
 *
 * After `npm run build`: `node --import tsx packages/client/src/remote/threads.bench.ts [inserts] [rounds]`
 */
const inserts = Number(process.argv[2] ?? 2_000);
const rounds = Number(process.argv[3] ?? 5);

const INSERT = 'INSERT INTO tasks (id, title, done) VALUES (?, ?, 0)';
const LONG = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) AS n FROM n`;
const schema = new Schema({ tasks: new Table({ title: column.text, done: column.integer }) });

type Figures = Record<string, number>;

let ids = 0;
const row = () => [`id ${(ids += 1)}`, `A thing to do, number ${ids}`];

/** How many in a second, and what each costs the processors, which says more on a busy machine. */
async function timed(name: string, count: number, work: () => Promise<unknown>): Promise<Figures> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    [`${name}, each second`]: count / seconds,
    [`${name}, µs of processors each`]: (user + system) / count,
  };
}

async function measure(db: SluiceDatabase): Promise<Figures> {
  const each = async () => {
    for (let n = 0; n < inserts; n += 1) await db.execute(INSERT, row());
  };
  const atOnce = () =>
    Promise.all(Array.from({ length: inserts }, () => db.execute(INSERT, row())));
  const transaction = () =>
    db.writeTransaction(async (tx) => {
      for (let n = 0; n < inserts; n += 1) await tx.execute(INSERT, row());
    });
  const sets = Array.from({ length: inserts * 10 }, row);
  return {
    ...(await timed('inserts awaited', inserts, each)),
    ...(await timed('inserts at once', inserts, atOnce)),
    ...(await timed('inserts in a transaction', inserts, transaction)),
    ...(await timed('inserts in a batch', sets.length, () => db.executeBatch(INSERT, sets))),
    ...(await timed('rows read', ids, () => db.getAll('SELECT * FROM tasks'))),
    'from a write to the result of a watch, ms': await watchMs(db),
    ...(await besideLong(db)),
  };
}

/** From the call of a write to the result that has it. */
async function watchMs(db: SluiceDatabase): Promise<number> {
  const results = db.watch(`SELECT count(*) AS n FROM tasks WHERE id LIKE 'watched %'`, [], {
    throttleMs: 0,
  });
  await results.next();
  const times: number[] = [];
  for (let n = 0; n < 50; n += 1) {
    const startedAt = performance.now();
    const next = results.next();
    await db.execute(INSERT, [`watched ${(ids += 1)}`, 'x']);
    await next;
    times.push(performance.now() - startedAt);
  }
  await results.return?.();
  return times.toSorted((a, b) => a - b)[25] ?? 0;
}

/** A long read is asked for, then short ones. */
async function besideLong(db: SluiceDatabase): Promise<Figures> {
  const times: number[] = [];
  let at = performance.now();
  const startedAt = at;
  const long = db.get(LONG).then(() => performance.now() - startedAt);
  for (let n = 0; n < 20; n += 1) {
    await db.get(`SELECT title FROM tasks WHERE id = 'id 1'`);
    times.push(performance.now() - at);
    at = performance.now();
  }
  return { 'long read, ms': await long, 'slowest short read beside it, ms': Math.max(...times) };
}

const all: Record<'caller' | 'worker', Figures[]> = { caller: [], worker: [] };
for (let round = 0; round < rounds; round += 1) {
  for (const thread of ['caller', 'worker'] as const) {
    const dir = mkdtempSync(path.join(tmpdir(), 'sluice-threads-'));
    ids = 0;
    const db = await openDatabase({ file: path.join(dir, 'app.sqlite'), schema, thread });
    await db.get('SELECT 1');
    all[thread].push(await measure(db));
    await db.close();
    rmSync(dir, { recursive: true });
  }
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const [first = {}] = all.caller;
const figure = (value: number) => value.toFixed(value < 100 ? 1 : 0).padStart(9);
const lines = Object.keys(first).map((name) => {
  const [caller = 0, worker = 0] = [all.caller, all.worker].map((rounds) =>
    median(rounds.map((figures) => figures[name] ?? 0)),
  );
  return `${name.padEnd(50)} ${figure(caller)} ${figure(worker)}`;
});
process.stdout.write(`${''.padEnd(50)}    caller    worker\n${lines.join('\n')}\n`);
