import { until } from '@sluice/testing';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { forEachClient } from './support/clients/for-each-client.ts';
import {
  SAME,
  SUITE_CONFIG,
  SUITE_CONFIG_WITH_EXTRAS,
  SUITE_SCHEMA,
} from './support/clients/suite-world.ts';
import { checksumFailures, type TestClient } from './support/clients/test-client.ts';

const BULK_ROWS = 100_000;
const DOWNLOAD_MS = 120_000;
const CONFIG = {
  storage: { type: 'sqlite', path: 'storage.db', compact_every_seconds: 1 },
  system: { logging: { level: 'debug' } },
};

const options = { schema: SUITE_SCHEMA, syncConfig: SUITE_CONFIG, config: CONFIG };

forEachClient(options, (world) => {
  let ann: TestClient;

  beforeAll(async () => {
    ann = await world().open('ann');
    await ann.connect();
    await world().expectSame(ann, SAME.notes('ann'));
  });

  test('comes back from being offline with edits on both sides', async () => {
    await ann.disconnect();
    await ann.execute(`UPDATE notes SET body = 'edited offline' WHERE id IN ('note-2', 'note-4')`);
    await ann.execute(`DELETE FROM notes WHERE id = 'note-6'`);
    await ann.execute(
      `INSERT INTO notes (id, owner_id, body, stars) VALUES ('offline', 'ann', '', 7)`,
    );
    const { sql } = world();
    await sql.query(`UPDATE notes SET body = 'edited meanwhile', stars = 99 WHERE id = 'note-2'`);
    await sql.query(`DELETE FROM notes WHERE id = 'note-8'`);
    const [local] = await ann.query(`SELECT body FROM notes WHERE id = 'note-2'`);
    expect(local).toEqual({ body: 'edited offline' });
    await ann.connect();
    await until('the queue is empty', async () => (await ann.queuedWrites()) === 0);
    await world().expectSame(ann, SAME.notes('ann'));
    const { rows } = await sql.query(`SELECT id, body, stars FROM notes
      WHERE id IN ('note-2', 'note-4', 'note-6', 'note-8', 'offline') ORDER BY id`);
    expect(rows).toEqual([
      { id: 'note-2', body: 'edited offline', stars: 99 },
      { id: 'note-4', body: 'edited offline', stars: 4 },
      { id: 'offline', body: '', stars: 7 },
    ]);
  });

  test('goes on with a fresh token when one expires, and after one that is refused', async () => {
    onTestFinished(() => void (world().tokenSeconds = 3600));
    world().tokenSeconds = 2;
    await ann.disconnect();
    await ann.connect();
    const given = world().tokensGiven;
    await until('further tokens were asked for', () => world().tokensGiven >= given + 2);
    world().tokenSeconds = -3600;
    await world().service.untilLogged(/(http_request|stream)_refused SYNC_TOKEN_EXPIRED/);
    world().tokenSeconds = 3600;
    await world().sql.query(`UPDATE notes SET body = 'with a fresh token' WHERE id = 'note-10'`);
    await world().expectSame(ann, SAME.notes('ann'));
  });

  test('follows a deploy without a new download of what stays, forth and back', async () => {
    const before = await operations(ann);
    await world().deploy(SUITE_CONFIG_WITH_EXTRAS);
    await world().expectSame(ann, SAME.extras);
    expect(await operations(ann)).toEqual(before);
    await world().sql.query(`UPDATE notes SET body = 'after the deploy' WHERE id = 'note-12'`);
    await world().expectSame(ann, SAME.notes('ann'));
    await world().deploy(SUITE_CONFIG);
    await until(
      'the extras are gone',
      async () => (await ann.query('SELECT 1 FROM extras')).length === 0,
    );
    await world().deploy(SUITE_CONFIG_WITH_EXTRAS); // its buckets are still there
    await world().expectSame(ann, SAME.extras);
  });

  test('has right checksums over compaction, connected and cold', async () => {
    const { sql, service } = world();
    const from = service.log.length;
    for (let round = 1; round <= 40; round += 1) {
      await sql.query(`UPDATE notes SET stars = stars + 1, body = repeat('x', 200) || $1`, [round]);
    }
    await service.untilLogged(/storage_compacted.*opsDropped=[1-9]/, { from });
    await sql.query(`UPDATE notes SET body = 'after compaction' WHERE id LIKE '%2'`);
    await sql.query(`DELETE FROM notes WHERE id LIKE 'note-3%'`);
    await world().expectSame(ann, SAME.notes('ann'));
    const cold = await world().open('ann', 'cold');
    await cold.connect();
    await world().expectSame(cold, SAME.notes('ann'));
    expect(await checksumFailures(cold)).toEqual([]);
    await world().close(cold);
  });

  test(`downloads ${BULK_ROWS} rows through kills of the service; what has priority shows at once`, async () => {
    const { sql, service } = world();
    await sql.query(`INSERT INTO bulk SELECT 'bulk-' || i, 'ann', i, 'label ' || md5(i::text)
      FROM generate_series(1, ${BULK_ROWS}) AS i`);
    await sql.query(`INSERT INTO notes (id, owner_id) VALUES ('behind the rows', 'ann')`);
    await world().expectSame(ann, SAME.notes('ann'), DOWNLOAD_MS); // so the rows are replicated
    const cold = await world().open('ann', 'downloads');
    await cold.subscribe({ name: 'bulk' });
    await cold.connect();
    await until(
      'a part is there',
      async () => (await cold.status()).downloadedOperations > 10_000,
      DOWNLOAD_MS,
    );
    await service.stop('SIGKILL');
    const { hasSynced, syncedPriorities } = await cold.status();
    expect({ hasSynced, syncedPriorities }).toEqual({ hasSynced: false, syncedPriorities: [1] });
    expect(await cold.query('SELECT count(*) AS rows FROM bulk')).toEqual([{ rows: 0 }]);
    await world().expectSame(cold, SAME.notes('ann'));
    await sql.query(`UPDATE bulk SET label = 'changed' WHERE n % 1000 = 0`);
    service.start();
    await world().expectSame(cold, SAME.bulk('ann'), DOWNLOAD_MS);
    expect(await cold.status()).toMatchObject({ hasSynced: true });
    expect(await checksumFailures(cold)).toEqual([]);
    await sql.query(`UPDATE notes SET body = 'after the kill' WHERE id = 'note-14'`);
    await world().expectSame(cold, SAME.notes('ann'));
    await world().expectSame(ann, SAME.notes('ann'));
    await world().close(cold);
  });

  test('found no checksum that is wrong', async () => {
    expect(await checksumFailures(ann)).toEqual([]);
  });
});

/** What the client keeps of the notes' bucket: the id of each operation. */
function operations(client: TestClient) {
  return client.query(
    `SELECT name, op_id FROM ps_oplog JOIN ps_buckets ON ps_buckets.id = ps_oplog.bucket
     WHERE name LIKE '%#notes%' ORDER BY op_id`,
  );
}
