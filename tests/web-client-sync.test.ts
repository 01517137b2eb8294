import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { createWriteApi } from '@sluice/write-api';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';
import { AppBrowser } from './support/web-client/app-browser.ts';
import { buildSite } from './support/web-client/build-site.ts';
// Types of what the page declares.
import type {} from './support/web-client/page/main.ts';

const ROWS = 20_000;
const STREAMS = `
config:
  edition: 3
streams:
  all:
    auto_subscribe: true
    query: SELECT * FROM notes
`;
const issuer = new TokenIssuer();

let dir: string;
let postgres: LocalPostgres;
let pool: pg.Pool;
let service: ServiceProcess;
let browser: AppBrowser;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-web-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
  await postgres.ensureDatabase('web');
  const databaseUrl = postgres.url('web');
  pool = new pg.Pool({ connectionString: databaseUrl });
  pool.on('error', () => {}); // of idle connections, when the server stops
  await pool.query(`
    CREATE TABLE notes (id text PRIMARY KEY, owner_id text NOT NULL, body text NOT NULL, stars int4 NOT NULL DEFAULT 0);
    CREATE PUBLICATION powersync FOR ALL TABLES;
    INSERT INTO notes SELECT 'row-' || n, 'bob', repeat('text ' || n, 20), n FROM generate_series(1, ${ROWS}) AS n`);
  service = await ServiceProcess.create({ dir, databaseUrl, syncConfig: STREAMS, issuer });
  service.start();
  await Promise.all([service.untilReady(), buildSite(path.join(dir, 'site'))]);
});
afterAll(async () => {
  await service.stop();
  await pool.end();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  browser = await AppBrowser.open({
    site: path.join(dir, 'site'),
    tokenOf: (user) => issuer.token(user),
    upload,
  });
});
afterEach(async () => {
  await browser[Symbol.asyncDispose]();
});

/** Bodies of the requests that the backend took. */
const uploads: string[] = [];

async function upload(user: string, body: string): Promise<void> {
  uploads.push(body);
  const handle = createWriteApi({
    database: pool,
    authenticate: () =>
      Promise.resolve({ userId: user, claims: { sub: user }, clientId: undefined }),
  });
  const { status } = await handle(new Request('http://backend/upload', { method: 'POST', body }));
  if (status !== 200) throw new Error(`The backend answered ${status}`);
}

async function connectedTab(database: string): Promise<Page> {
  const tab = await browser.tab(database);
  await connect(tab);
  return tab;
}

/** Not awaited to its end: the tab may be gone before it is connected. */
async function connect(tab: Page): Promise<void> {
  await tab.evaluate(
    (endpoint) => void app.connect(endpoint, 'ann').catch((error) => app.problems.push(`${error}`)),
    service.url,
  );
}

/** The tab has exactly the rows of the database, and nothing waits for upload. */
async function expectSynced(tab: Page): Promise<void> {
  const sql = `SELECT count(*)::int AS n, sum(length(body))::int AS length, sum(stars)::int AS stars,
    min(id COLLATE "C") AS first, max(id COLLATE "C") AS last FROM notes`;
  const of = () =>
    tab.evaluate(async () => {
      const { count } = await app.db.getUploadQueueStats();
      return count > 0
        ? undefined
        : app.db.get(`SELECT count(*) AS n, sum(length(body)) AS length, sum(stars) AS stars,
            min(id) AS first, max(id) AS last FROM notes`);
    });
  const expected = async () => (await pool.query(sql)).rows[0];
  const isSame = async () => JSON.stringify(await of()) === JSON.stringify(await expected());
  await until('the tab has the rows', isSame, 60_000).catch(async () => {
    expect(await of()).toEqual(await expected());
  });
  expect(await tab.evaluate(() => app.problems)).toEqual([]);
}

test('the rows of a real database come into the page, and what the page writes goes there', async () => {
  const tab = await connectedTab('sync');
  const beganAt = Date.now();
  await tab.evaluate(() => app.db.waitForFirstSync());
  console.info(`first sync of ${ROWS} rows: ${Date.now() - beganAt} ms`);
  await expectSynced(tab);
  await tab.evaluate(() => app.write('from-page', 'written in a page'));
  const stored = `SELECT body FROM notes WHERE id = 'from-page'`;
  await until('the upload', async () => (await pool.query(stored)).rowCount === 1);
  await tab.evaluate(() => {
    app.db.watch(`SELECT body FROM notes WHERE id = 'from-page'`, [], {
      onResult: (rows) => (document.title = String(rows.array[0]?.['body'])),
    });
  });
  await pool.query(`UPDATE notes SET body = 'changed at the source' WHERE id = 'from-page'`);
  await until('the watch', async () => (await tab.title()) === 'changed at the source');
  await expectSynced(tab);
});

test('a tab that opens later has the data at once, without another download', async () => {
  const first = await connectedTab('later');
  await first.evaluate(() => app.db.waitForFirstSync());
  const second = await connectedTab('later');
  expect(await second.evaluate(() => app.db.currentStatus.hasSynced)).toBe(true);
  await expectSynced(second);
  await until('both are connected', () => second.evaluate(() => app.db.currentStatus.connected));
});

test.each(['is closed', 'crashes'])(
  'when the tab that leads %s in the middle of a download, another one completes it, and writes of all arrive',
  async (how) => {
    const leader = await connectedTab('download');
    const others = [await connectedTab('download'), await connectedTab('download')];
    await until('some is downloaded', () =>
      leader.evaluate(async () => {
        const { staged } = await app.db.get<{ staged: number }>(
          'SELECT count(*) AS staged FROM sluice_staged',
        );
        return staged > 0 || app.db.currentStatus.hasSynced;
      }),
    );
    const prefix = how.replace(' ', '-');
    uploads.length = 0;
    await leader.evaluate((id) => app.write(id, 'by the leader'), `${prefix}-leader`);
    const writes = others.map((tab, n) =>
      tab.evaluate(async (id) => {
        for (let at = 0; at < 20; at++) await app.write(`${id}-${at}`, 'by a follower');
      }, `${prefix}-${n}`),
    );
    if (how === 'is closed') await leader.close();
    else await crash(leader);
    await Promise.all(writes);
    for (const tab of others) await expectSynced(tab);
    const written = await pool.query(`SELECT 1 FROM notes WHERE id LIKE '${prefix}-%'`);
    expect(written.rowCount).toBe(41);
    // The one that was on its way, at most.
    expect(uploads.length - new Set(uploads).size).toBeLessThanOrEqual(1);
  },
);

async function crash(page: Page): Promise<void> {
  const session = await browser.context.newCDPSession(page);
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  session.send('Page.crash').catch(() => undefined); // it does not live to answer
  await crashed;
}

test('a page that becomes visible, or has the network again, syncs at once', async () => {
  const tab = await connectedTab('hints');
  await tab.evaluate(() => app.db.waitForFirstSync());
  await service.stop('SIGKILL');
  await until('it is not connected', () => tab.evaluate(() => !app.db.currentStatus.connected));
  service.start();
  await service.untilReady();
  await pool.query(`INSERT INTO notes VALUES ('back', 'bob', 'again')`);
  const beganAt = Date.now();
  await until('it is connected', async () => {
    await tab.evaluate(() => dispatchEvent(new Event('online')));
    return tab.evaluate(() => app.db.currentStatus.connected);
  });
  expect(Date.now() - beganAt).toBeLessThan(5_000);
  await expectSynced(tab);
});
