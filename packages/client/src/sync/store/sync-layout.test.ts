import { openConnection } from '@sluice/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { createSyncLayout } from './sync-layout.ts';

test('what an earlier version staged is downloaded anew, and everything else is kept', () => {
  const connection = openConnection(':memory:');
  onTestFinished(() => connection.close());
  createSyncLayout(connection);
  connection.exec(`
    DROP TABLE sluice_staged;
    CREATE TABLE sluice_staged (id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, type TEXT, ops TEXT NOT NULL, bodies TEXT NOT NULL);
    INSERT INTO sluice_bucket VALUES (1, 'published', 1, 10, 0, 1, 0), (2, 'half-way', 1, 20, 0, 1, 3);
    INSERT INTO sluice_row VALUES (1, 'a', 2, 's', 5, NULL);
    INSERT INTO sluice_staged VALUES (1, 2, 'tasks', 'ops of old', 'bodies of old')`);

  for (const time of ['at once', 'and no more later']) {
    createSyncLayout(connection);
    const all = (sql: string) => connection.prepare(sql).all();
    expect(all('SELECT id, name FROM sluice_bucket ORDER BY id'), time).toEqual([
      [1, 'published'],
      [2, null],
    ]);
    expect(all('SELECT id FROM sluice_row'), time).toEqual([['a']]);
    expect(all('SELECT is_plain FROM sluice_staged'), time).toEqual([]);
  }
});
