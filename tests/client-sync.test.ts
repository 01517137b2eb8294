import { until } from '@sluice/testing';
import { beforeAll, expect, test } from 'vitest';
import { forEachClient } from './support/clients/for-each-client.ts';
import { SAME, SUITE_CONFIG, SUITE_SCHEMA } from './support/clients/suite-world.ts';
import { checksumFailures, type TestClient } from './support/clients/test-client.ts';

forEachClient(
  { schema: SUITE_SCHEMA, syncConfig: SUITE_CONFIG },
  (world, { client, transport }) => {
    let ann: TestClient;

    beforeAll(async () => {
      ann = await world().open('ann');
    });

    test('shows exactly the rows of the user after the first sync, and other rows to others', async () => {
      const bob = await world().open('bob');
      await ann.connect();
      await bob.connect();
      await world().expectSame(ann, SAME.notes('ann'));
      await world().expectSame(bob, SAME.notes('bob'));
      await world().close(bob);
    });

    test.runIf(transport === 'http')(
      'gets it compressed, and can read it as it comes',
      async () => {
        const { log } = world().service;
        // Of the two, browsers ask for zstd, too, and the service has it where its runtime does.
        const encoding = client === 'web' && 'zstd' in process.versions ? 'zstd' : 'gzip';
        expect(log).toMatch(new RegExp(`stream_opened .*encoding=${encoding}`));
      },
    );

    test('shows a change within a second on an idle service', async () => {
      const { sql } = world();
      const times = [];
      for (const name of ['quick-1', 'quick-2', 'quick-3']) {
        await sql.query(`INSERT INTO notes (id, owner_id, body) VALUES ($1, 'ann', 'now')`, [name]);
        const startedAtMs = Date.now();
        const found = `SELECT 1 FROM notes WHERE id = '${name}'`;
        await until('the note arrives', async () => (await ann.query(found)).length === 1);
        times.push(Date.now() - startedAtMs);
      }
      expect(Math.min(...times)).toBeLessThan(1000);
    });

    test('follows updates, deletes, rows that change their owner, and truncation', async () => {
      const { sql } = world();
      await sql.query(`UPDATE notes SET body = body || '!' WHERE stars % 3 = 0`);
      await sql.query(`UPDATE notes SET owner_id = 'bob' WHERE id = 'note-4'`);
      await sql.query(`UPDATE notes SET owner_id = 'ann' WHERE id = 'note-5'`);
      await sql.query(`DELETE FROM notes WHERE id = 'note-6'`);
      await world().expectSame(ann, SAME.notes('ann'));
      await sql.query('TRUNCATE notes');
      await world().expectSame(ann, SAME.notes('ann'));
      await sql.query(`INSERT INTO notes SELECT 'again-' || i, 'ann', 'body', i
      FROM generate_series(1, 50) AS i`);
      await world().expectSame(ann, SAME.notes('ann'));
    });

    test('holds each type as documented: 64-bit integers, unicode, binary as base64, large rows', async () => {
      await world().sql.query(SAMPLES);
      await world().expectSame(ann, {
        client: `SELECT id, CAST(big AS TEXT) AS big, small, flag, ratio, price, body, photo, bytes, uid, at, tags, meta
        FROM samples ORDER BY id`,
        source: `SELECT id, big::text, small, flag::int AS flag, ratio, price::text, body,
          coalesce(replace(encode(bytes, 'base64'), E'\\n', ''), '') AS photo, NULL AS bytes, uid::text,
          to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
          to_json(tags)::text AS tags, meta::text AS meta
        FROM samples WHERE owner_id = 'ann' ORDER BY id COLLATE "C"`,
      });
      const types = await ann.query(`SELECT typeof(big) AS big, typeof(ratio) AS ratio FROM samples
      WHERE id = 'largest'`);
      expect(types).toEqual([{ big: 'integer', ratio: 'real' }]);
    });

    test('syncs a stream for each set of parameters, with the priority asked for, until unsubscribed', async () => {
      const first = { name: 'tasks_of_list', parameters: { list_id: 'list-1' } };
      const second = { ...first, parameters: { list_id: 'list-2' }, priority: 0 as const };
      expect(await ann.query('SELECT id FROM tasks')).toEqual([]);
      await ann.subscribe(first);
      await world().expectSame(ann, SAME.tasks('list-1'));
      await ann.subscribe(second);
      await world().expectSame(ann, SAME.tasks('list-1', 'list-2'));
      await world().sql.query(
        `UPDATE tasks SET done = true WHERE id IN ('task-1', 'task-2', 'task-3')`,
      );
      await world().expectSame(ann, SAME.tasks('list-1', 'list-2'));
      const streams = (await ann.status()).streams.filter(({ name }) => name === 'tasks_of_list');
      expect(
        streams.map(({ parameters, active, hasSynced, priority }) => [
          parameters,
          active,
          hasSynced,
          priority,
        ]),
      ).toEqual([
        [{ list_id: 'list-1' }, true, true, 3],
        [{ list_id: 'list-2' }, true, true, 0],
      ]);
      await ann.unsubscribe(first);
      await world().expectSame(ann, SAME.tasks('list-2'));
      await ann.unsubscribe(second);
      await until(
        'no tasks are left',
        async () => (await ann.query('SELECT 1 FROM tasks')).length === 0,
      );
    });

    test('is told of a stream that fails, never gets one that is unknown, and gets the others', async () => {
      const unknown = { name: 'nowhere' };
      const parameters = { list_ids: 'not a list' };
      const failing = { name: 'tasks_of_lists', parameters };
      await ann.subscribe(unknown);
      await ann.subscribe(failing);
      const told =
        /stream tasks_of_lists .* could not be resolved: A text that should be JSON is not/;
      await until('the client logs the error', async () => told.test((await ann.log()).join('\n')));
      const { streams } = await ann.status();
      expect(streams.find(({ name }) => name === 'nowhere')).toMatchObject({ active: false });
      await world().sql.query(`INSERT INTO notes (id, owner_id) VALUES ('beside errors', 'ann')`);
      await world().expectSame(ann, SAME.notes('ann'));
      await ann.unsubscribe(unknown);
      await ann.unsubscribe(failing);
    });

    test('uploads through the write API; what was written never vanishes in between', async () => {
      const { sql } = world();
      await ann.watchNumber('notes', `SELECT count(*) FROM notes WHERE id LIKE 'own-%'`);
      await ann.watchNumber(
        'stars',
        `SELECT coalesce(max(stars), 0) FROM notes WHERE id = 'own-1'`,
      );
      for (let i = 1; i <= WRITES; i += 1) {
        await ann.execute('INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, ?)', [
          `own-${i}`,
          'ann',
          `é 🙂 ${i}`,
          0,
        ]);
        await ann.execute(`UPDATE notes SET stars = ? WHERE id = 'own-1'`, [i]);
        await sql.query(`UPDATE notes SET stars = stars + 1 WHERE id = 'again-1'`);
      }
      await until('the queue is empty', async () => (await ann.queuedWrites()) === 0);
      await world().expectSame(ann, SAME.notes('ann'));
      const stored = await sql.query(
        `SELECT count(*)::int AS notes, max(stars) AS stars FROM notes WHERE id LIKE 'own-%'`,
      );
      expect(stored.rows).toEqual([{ notes: WRITES, stars: WRITES }]);
      for (const name of ['notes', 'stars']) {
        await until(
          `all ${name} were shown`,
          async () => (await ann.shownNumbers(name)).at(-1) === WRITES,
        );
        const shown = await ann.shownNumbers(name);
        expect(shown).toEqual(shown.toSorted((a, b) => a - b));
      }
      await sql.query(`UPDATE notes SET body = 'answered' WHERE id LIKE 'own-%'`);
      await world().expectSame(ann, SAME.notes('ann'));
      await ann.execute(`DELETE FROM notes WHERE id LIKE 'own-%'`);
      await until('they are deleted at the source', async () => {
        const left = await sql.query(`SELECT 1 FROM notes WHERE id LIKE 'own-%'`);
        return left.rowCount === 0;
      });
      await world().expectSame(ann, SAME.notes('ann'));
    });

    test('has what the source had when it asked for a checkpoint; its app is named in the log', async () => {
      const { sql, service } = world();
      const appMetadata = { app: `suite-${transport}`, version: '1.2' };
      const asking = await world().open('ann', 'asking', { checkpointRequests: true, appMetadata });
      await asking.connect();
      await service.untilLogged(new RegExp(`stream_opened .*suite-${transport}.*1\\.2`));
      await world().expectSame(asking, SAME.notes('ann'));
      for (let round = 1; round <= 3; round += 1) {
        await sql.query(`INSERT INTO notes (id, owner_id) VALUES ($1, 'ann')`, [`asked-${round}`]);
        await asking.syncCheckpoint();
        // Without waiting any longer.
        const found = `SELECT id FROM notes WHERE id = 'asked-${round}'`;
        expect(await asking.query(found)).toEqual([{ id: `asked-${round}` }]);
      }
      await asking.execute(`UPDATE notes SET body = 'uploaded' WHERE id LIKE 'asked-%'`);
      await until('the queue is empty', async () => (await asking.queuedWrites()) === 0);
      await sql.query(`UPDATE notes SET stars = 5 WHERE id LIKE 'asked-%'`);
      await world().expectSame(asking, SAME.notes('ann'));
      const uploaded = await sql.query(`SELECT 1 FROM notes WHERE body = 'uploaded' AND stars = 5`);
      expect(uploaded.rowCount).toBe(3);
      expect(await checksumFailures(asking)).toEqual([]);
      await world().close(asking);
    });

    test('found no checksum that is wrong', async () => {
      expect(await checksumFailures(ann)).toEqual([]);
    });
  },
);

const WRITES = 15;

const SAMPLES = `
  INSERT INTO samples VALUES
    ('largest', 'ann', 9223372036854775807, 32767, true, 1.7976931348623157e308, 1234567890.0123456789,
     'é 🙂 \\ " ''' || chr(8) || E'\\t\\n' || chr(8232) || ' שלום e' || chr(769), decode('00ff80fe', 'hex'),
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29 23:59:59.123456+02', '{"a\\"b","c,d",NULL}', '{"n": 12345678901234567890, "t": "x\\"y"}'),
    ('smallest', 'ann', -9223372036854775808, -32768, false, 5e-324, -0.0000000001, '', '',
     '00000000-0000-0000-0000-000000000000', '1970-01-01 00:00:00+00', '{}', 'null'),
    ('beyond doubles', 'ann', 9007199254740993, 0, NULL, 0.1, 0, NULL, NULL, NULL, NULL, NULL, '[]'),
    ('of bob', 'bob', 1, 1, true, 1, 1, 'not for ann', NULL, NULL, NULL, NULL, NULL);
  INSERT INTO samples (id, owner_id, body, bytes)
    SELECT 'huge', 'ann', repeat('🙂 0123456789', 100000), decode(repeat('00ff8041', 250000), 'hex');`;
