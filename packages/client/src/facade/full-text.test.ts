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
});
