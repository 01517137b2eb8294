import type { Figure } from '../harness.ts';
import type { BenchedClient, SqlInput } from './benched-client.ts';
import { ROWS_PER_LIST } from './client-tables.ts';

/** Platform-free: runs in a process of Node.js and in a page. */
export interface WorkloadOptions {
  readonly rows: number;
  /** Local inserts of each kind. */
  readonly inserts: number;
}

const REPEATS = 5;
const WATCH_SAMPLES = 25;
const INSERT =
  'INSERT INTO items (id, list_id, title, note, done, score) VALUES (?, ?, ?, ?, ?, ?)';

/** From `connect` until the rows can be read. The database is open. */
export async function measureSync(client: BenchedClient, rows: number): Promise<Figure[]> {
  const startedAt = performance.now();
  await client.connect();
  await client.untilSynced();
  const seconds = (performance.now() - startedAt) / 1000;
  await client.disconnect();
  await expectRows(client, rows);
  return [
    { name: 'first sync', unit: 'rows/s', value: rows / seconds, higherIsBetter: true },
    { name: 'first sync, time', unit: 's', value: seconds, higherIsBetter: false },
  ];
}

/** Reads and local writes on a database that is synced and not connected. */
export async function measureLocal(
  client: BenchedClient,
  options: WorkloadOptions,
): Promise<Figure[]> {
  return [
    ...(await measureReads(client, options.rows)),
    ...(await measureInserts(client, options.inserts)),
    await watchLatency(client, undefined),
    await watchLatency(client, 1),
  ];
}

async function measureReads(client: BenchedClient, rows: number): Promise<Figure[]> {
  const list = `list-${Math.floor(rows / ROWS_PER_LIST / 2)}`;
  const [first] = await client.rows('SELECT id FROM items WHERE list_id = ? LIMIT 1', [list]);
  const { id } = first as { readonly id: string };
  const queries: readonly [name: string, sql: string, parameters: readonly SqlInput[]][] = [
    ['scan with an aggregate', 'SELECT count(*), sum(score), sum(length(note)) FROM items', []],
    ['scan with LIKE', `SELECT count(*) FROM items WHERE title LIKE '%77%'`, []],
    ['sort without an index, 50 rows', 'SELECT * FROM items ORDER BY score DESC LIMIT 50', []],
    ['100 rows by an index', 'SELECT * FROM items WHERE list_id = ?', [list]],
    ['one row by id', 'SELECT * FROM items WHERE id = ?', [id]],
    ['5,000 rows to the app', 'SELECT * FROM items LIMIT 5000', []],
  ];
  const figures: Figure[] = [];
  for (const [name, sql, parameters] of queries) {
    await client.rows(sql, parameters);
    figures.push({
      name,
      unit: 'ms',
      value: await medianMs(REPEATS * (name.includes('row') ? 5 : 1), () =>
        client.rows(sql, parameters),
      ),
      higherIsBetter: false,
    });
  }
  return figures;
}

async function measureInserts(client: BenchedClient, inserts: number): Promise<Figure[]> {
  for (const row of newRows(50)) await client.write(INSERT, row);
  const kinds: readonly [name: string, run: (rows: SqlInput[][]) => Promise<unknown>][] = [
    [
      'inserts, each awaited',
      async (rows) => {
        for (const row of rows) await client.write(INSERT, row);
      },
    ],
    ['inserts, all at once', (rows) => Promise.all(rows.map((row) => client.write(INSERT, row)))],
    ['inserts in one transaction', (rows) => client.writeTransaction(INSERT, rows)],
    ['inserts in one batch', (rows) => client.writeBatch(INSERT, rows)],
  ];
  const figures: Figure[] = [];
  for (const [name, run] of kinds) {
    const rows = newRows(inserts);
    const startedAt = performance.now();
    await run(rows);
    const seconds = (performance.now() - startedAt) / 1000;
    figures.push({ name, unit: 'rows/s', value: inserts / seconds, higherIsBetter: true });
  }
  return figures;
}

/** From the call that writes until the watch shows it. */
async function watchLatency(
  client: BenchedClient,
  throttleMs: number | undefined,
): Promise<Figure> {
  const controller = new AbortController();
  const sql = `SELECT count(*) AS n FROM items WHERE list_id = 'watched'`;
  let shown = -1;
  let wake: () => void = () => undefined;
  const { signal } = controller;
  client.watch({ sql, parameters: [], throttleMs, signal }, (count) => {
    shown = count;
    wake();
  });
  const untilShown = async (count: number) => {
    while (shown < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  await untilShown(0);
  const began = shown;
  const latencies: number[] = [];
  for (let sample = 1; sample <= WATCH_SAMPLES; sample++) {
    await new Promise((resolve) => setTimeout(resolve, 45));
    const [row = []] = newRows(1);
    const startedAt = performance.now();
    await client.write(INSERT, [row[0] ?? '', 'watched', ...row.slice(2)]);
    await untilShown(began + sample);
    latencies.push(performance.now() - startedAt);
  }
  controller.abort();
  const name = `watch, ${throttleMs === undefined ? 'default throttle' : `throttle ${throttleMs} ms`}`;
  return { name, unit: 'ms', value: medianOf(latencies), higherIsBetter: false };
}

/** Local-only rows until the database has grown by so much. */
export async function addPadding(client: BenchedClient, megabytes: number): Promise<void> {
  for (let done = 0; done < megabytes; done += 10) {
    await client.write(
      `INSERT INTO padding (id, body) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        SELECT 'p-${done}-' || i, hex(randomblob(1000)) FROM n`,
    );
  }
}

/** What an app does first: one row by its id. */
export async function firstQuery(client: BenchedClient): Promise<void> {
  const rows = await client.rows(`SELECT * FROM items WHERE list_id = 'list-1'`);
  if (rows.length === 0) throw new Error('The database is empty');
}

async function expectRows(client: BenchedClient, rows: number): Promise<void> {
  const [first] = await client.rows('SELECT count(*) AS n FROM items');
  const { n } = first as { readonly n: number };
  if (n !== rows) throw new Error(`The client has ${n} rows of ${rows}`);
}

function newRows(count: number): SqlInput[][] {
  return Array.from({ length: count }, (_, index) => [
    crypto.randomUUID(),
    `new-${index % 100}`,
    `A local thing, number ${index}`,
    'x'.repeat(96),
    index % 2,
    index / 3,
  ]);
}

async function medianMs(repeats: number, run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const startedAt = performance.now();
    await run();
    times.push(performance.now() - startedAt);
  }
  return medianOf(times);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
