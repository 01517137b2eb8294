import { until } from '@sluice/testing';
import type pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { CountingClient } from '../counting-client.ts';
import { median } from '../harness.ts';

/** The token of the admin routes that the service must be started with. */
const ADMIN_TOKEN = 'bench-admin-token';

const OWNERS = 1000;
const READER = 'owner-1';
const ITEMS_BUCKET = '#items';
const NOTES_BUCKET = '#notes';
const PROBED_ROW = `SELECT id FROM items WHERE owner = '${READER}' LIMIT 1`;
const ITEMS = `
config:
  edition: 3
streams:
  items:
    auto_subscribe: true
    query: SELECT * FROM items WHERE owner = auth.user_id()
`;
const ITEMS_AND_NOTES = `${ITEMS}
  notes:
    auto_subscribe: true
    query: SELECT * FROM notes WHERE owner = auth.user_id()
`;

/** What adding a stream to a config cost. */
export interface DeployFigures {
  /** From the first deploy until clients could be served. */
  readonly firstFillMs: number;
  /** What the connected client held before. */
  readonly opsBefore: number;
  /** Rows that the database gave out for the deploy, of the table that was synced already. */
  readonly otherRowsRead: number;
  /** The same of the new stream's table. */
  readonly newRowsRead: number;
  /** From the request until the connected client was offered the new stream, and had it. */
  readonly switchMs: number;
  readonly downloadedMs: number;
  /** Operations that the client was sent again or anew of the old stream, without those of the probe. */
  readonly otherOpsSent: number;
  readonly newOpsSent: number;
  /** What the client may see of the new stream's table. */
  readonly newRowsVisible: number;
  /** From a commit to the synced table until the client had it, while the deploy went on. */
  readonly probes: number;
  readonly medianProbeMs: number;
  readonly worstProbeMs: number;
}

export interface DeployWorld {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
}

/** Keys of the service's configuration that a world needs: the sync config comes by the admin API. */
export const DEPLOY_CONFIG = { sync_config: undefined, api: { tokens: [ADMIN_TOKEN] } };

/** `items` of `rows` rows for 1,000 owners, and `notes` of `newRows` rows for ten of them. */
export async function createDeployTables(
  sql: pg.Client,
  { rows, newRows }: { readonly rows: number; readonly newRows: number },
): Promise<void> {
  await sql.query(`
    CREATE TABLE items (
      id uuid PRIMARY KEY, owner text NOT NULL, title text NOT NULL, done bool NOT NULL);
    CREATE TABLE notes (id uuid PRIMARY KEY, owner text NOT NULL, body text NOT NULL);
    CREATE PUBLICATION powersync FOR ALL TABLES;`);
  await sql.query(
    `INSERT INTO items SELECT gen_random_uuid(), 'owner-' || i % ${OWNERS}, 'title ' || i, i % 2 = 0
     FROM generate_series(1, $1::int) AS i`,
    [rows],
  );
  await sql.query(
    `INSERT INTO notes SELECT gen_random_uuid(), 'owner-' || i % 10, repeat(md5(i::text), 4)
     FROM generate_series(1, $1::int) AS i`,
    [newRows],
  );
  await sql.query('VACUUM ANALYZE items, notes');
}

/** Deploys by the admin route, as `sluice deploy` does. */
export async function deploy(service: ServiceProcess, content: string): Promise<void> {
  const response = await fetch(`${service.url}/api/sync-rules/v1/deploy`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
    body: content,
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

/** Has a client hold its part of the items, then adds a stream and measures what that costs. */
export async function measureDeploy({ service, sql, issuer }: DeployWorld): Promise<DeployFigures> {
  await until('the service answers', () => service.probe('liveness').catch(() => false));
  const startedAt = performance.now();
  await deploy(service, ITEMS);
  await service.untilReady(3_600_000);
  const firstFillMs = performance.now() - startedAt;
  const client = new CountingClient(service, issuer.token(READER));
  client.connect();
  try {
    const visible = await countVisible(sql, 'items');
    await until(
      'the client has its items',
      () => client.complete !== undefined && client.opsIn(ITEMS_BUCKET) >= visible,
      600_000,
    );
    return { firstFillMs, ...(await measureAddedStream({ service, sql, client })) };
  } finally {
    await client.close();
  }
}

async function measureAddedStream(options: {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly client: CountingClient;
}): Promise<Omit<DeployFigures, 'firstFillMs'>> {
  const { service, sql, client } = options;
  const newRowsVisible = await countVisible(sql, 'notes');
  const opsBefore = client.opsIn(ITEMS_BUCKET);
  const { rows: probed } = await sql.query<{ id: string }>(PROBED_ROW);
  const before = { items: await rowsRead(sql, 'items'), notes: await rowsRead(sql, 'notes') };
  const startedAt = performance.now();
  await deploy(service, ITEMS_AND_NOTES);
  const isThere = (): boolean => [...(client.complete ?? [])].some(isOfNotes);
  const probe = { sql, client, id: probed[0]?.id };
  const latencies = await probeUntil(isThere, probe);
  const downloadedMs = performance.now() - startedAt;
  const offeredAt = [...client.offeredAt].find(([name]) => isOfNotes(name))?.[1] ?? Number.NaN;
  return {
    opsBefore,
    // What the probes read they find by the primary key, one row each.
    otherRowsRead: (await rowsRead(sql, 'items')) - before.items - latencies.length,
    newRowsRead: (await rowsRead(sql, 'notes')) - before.notes,
    switchMs: offeredAt - startedAt,
    downloadedMs,
    otherOpsSent: client.opsIn(ITEMS_BUCKET) - opsBefore - latencies.length,
    newOpsSent: client.opsIn(NOTES_BUCKET),
    newRowsVisible,
    probes: latencies.length,
    medianProbeMs: median(latencies),
    worstProbeMs: Math.max(...latencies),
  };
}

/** Changes a row of the old stream again and again; gives the milliseconds until the client had each. */
async function probeUntil(
  isOver: () => boolean,
  {
    sql,
    client,
    id,
  }: {
    readonly sql: pg.Client;
    readonly client: CountingClient;
    readonly id: string | undefined;
  },
): Promise<readonly number[]> {
  const latencies: number[] = [];
  do {
    const ops = client.opsIn(ITEMS_BUCKET);
    const committedAt = performance.now();
    await sql.query('UPDATE items SET done = NOT done WHERE id = $1', [id]);
    while (client.opsIn(ITEMS_BUCKET) === ops) await sleep(1);
    latencies.push(performance.now() - committedAt);
    await sleep(50);
  } while (!isOver());
  return latencies;
}

async function countVisible(sql: pg.Client, table: string): Promise<number> {
  const counting = `SELECT count(*)::int AS n FROM ${table} WHERE owner = $1`;
  const { rows } = await sql.query<{ n: number }>(counting, [READER]);
  return rows[0]?.n ?? Number.NaN;
}

/** Rows that the database has given out of a table, once that no longer grows. */
async function rowsRead(sql: pg.Client, table: string): Promise<number> {
  const reading = `SELECT seq_tup_read::int8 + coalesce(idx_tup_fetch, 0)::int8 AS n
    FROM pg_stat_user_tables WHERE relname = $1`;
  for (let before = Number.NaN; ;) {
    await sleep(1500); // sessions report their counts about every second
    const { rows } = await sql.query<{ n: string }>(reading, [table]);
    const now = Number(rows[0]?.n);
    if (now === before) return now;
    before = now;
  }
}

function isOfNotes(bucket: string): boolean {
  return bucket.includes(NOTES_BUCKET);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
