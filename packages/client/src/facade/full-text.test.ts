import { describe, expect, test } from 'vitest';
import { APP_DATABASES } from '../testing/app-databases.ts';
import { SPEC_LINES } from '../testing/session-world.ts';
import { useAppDatabase } from '../testing/use-app-database.ts';

const SEARCH = 'SELECT id FROM todos_fts WHERE todos_fts MATCH ? ORDER BY id';

describe.each(APP_DATABASES)('a search in texts $name', (kind) => {
  const app = useAppDatabase(kind);

  test('is watched through local writes and downloads, and cleared with its table', async () => {
    const results = app.db.watch(SEARCH, ['milk OR oat*'], { throttleMs: 0 });
    const next = async (): Promise<unknown> => (await results.next()).value?.array;
    expect(await next()).toEqual([]);
    await app.db.execute(`INSERT INTO todos (id, title) VALUES ('own', 'Oatmeal'), ('x', 'Bread')`);
    expect(await next()).toEqual([{ id: 'own' }]);
    await (await app.db.getCrudBatch())?.complete();
    await app.db.connect(app.connector, { uploadThrottleMs: 10 });
    await app.db.waitForStatus(({ connected }) => connected);
    const { checkpoint, lists, partial, todos, complete } = SPEC_LINES;
    app.service.stream.send(
      { checkpoint: { ...checkpoint.checkpoint, write_checkpoint: '9' } },
      lists,
      partial,
      todos,
      complete,
    );
    await app.db.waitForFirstSync();
    expect(await next()).toEqual([{ id: 'T1' }]);
    await app.db.disconnectAndClear();
    expect(await next()).toEqual([]);
  });

  test('has what a first download brings in bulk', async () => {
    const rows = 2000;
    const data = Array.from({ length: rows }, (_, n) => ({
      op_id: String(n + 1),
      op: 'PUT',
      object_type: 'todos',
      object_id: `t${n}`,
      subkey: '',
      checksum: 1,
      data: JSON.stringify({ id: `t${n}`, title: `number ${n} ${'x'.repeat(100)}` }),
    }));
    const bucket = { bucket: 'b', checksum: rows, count: rows, priority: 3, subscriptions: [] };
    await app.db.connect(app.connector);
    app.service.stream.send(
      { checkpoint: { last_op_id: String(rows), buckets: [bucket], streams: [] } },
      { data: { bucket: 'b', after: '0', has_more: false, data, next_after: String(rows) } },
      { checkpoint_complete: { last_op_id: String(rows) } },
    );
    await app.db.waitForFirstSync();
    expect(await app.db.getAll(SEARCH, ['1234'])).toEqual([{ id: 't1234' }]);
    expect(await app.db.get('SELECT count(*) AS n FROM todos_fts')).toEqual({ n: rows });
  });
});
