import { openConnection } from '@sluice/client-node';
import type { Op } from '@sluice/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LocalWriteGate } from '../../crud/local-write-gate.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import { installSchema } from '../../schema/install-schema.ts';
import { tableOf } from '../../testing/tables.ts';
import { SqliteSyncStore } from './sqlite-sync-store.ts';
import { StoredRows } from './stored-rows.ts';
import { createSyncLayout } from './sync-layout.ts';

const TASKS = tableOf('tasks', ['title TEXT']);
const WIDER = tableOf('tasks', ['title TEXT', 'n INTEGER', 'big INTEGER']);

/** A client that has downloaded rows into two buckets, whatever its schema is at the moment. */
function client(schema: CompiledSchema) {
  const connection = openConnection(':memory:');
  onTestFinished(() => connection.close());
  installSchema(connection, schema);
  createSyncLayout(connection);
  let opId = 0n;
  const storeFor = (current: CompiledSchema) =>
    new SqliteSyncStore({
      connection,
      schema: current,
      gate: new LocalWriteGate(connection),
      now: () => 0,
    });
  return {
    connection,
    become: (next: CompiledSchema) => installSchema(connection, next, new StoredRows(connection)),
    rows: (sql: string) => connection.prepare(sql).all(),
    drop(current: CompiledSchema, bucket: string) {
      const store = storeFor(current);
      store.remove([bucket]);
      const scope = { kind: 'full', lastOpId: opId, writeCheckpoint: undefined } as const;
      expect(store.publish({ ...scope, buckets: [] }).kind).toBe('published');
    },
    download(current: CompiledSchema, bucket: string, bodies: Readonly<Record<string, string>>) {
      const store = storeFor(current);
      const ops = Object.entries(bodies).map(([objectId, data]): Op => {
        opId += 1n;
        const identity = { objectType: 'tasks', objectId, subkey: bucket };
        return { kind: 'PUT', opId, ...identity, checksum: 1, data };
      });
      store.ingest([{ kind: 'data', bucket, after: 0n, nextAfter: opId, hasMore: false, ops }]);
      const scope = { kind: 'full', lastOpId: opId, writeCheckpoint: undefined } as const;
      expect(store.publish({ ...scope, buckets: [] }).kind).toBe('published');
    },
  };
}

describe('rows that were synced', () => {
  test('before their table was declared are in it afterwards, the newest of each', () => {
    const { connection, ...world } = client({ tables: [] });
    world.download({ tables: [] }, 'a', { r1: '{"title":"old"}', r2: '{"title":"two"}' });
    world.download({ tables: [] }, 'b', { r1: '{"title":"new"}' });
    world.become({ tables: [TASKS] });
    const rows = [
      ['r1', 'new'],
      ['r2', 'two'],
    ];
    expect(world.rows('SELECT * FROM tasks ORDER BY id')).toEqual(rows);
    expect(connection.prepare('SELECT count(*) FROM sluice_crud').get()).toEqual([0]);
  });

  test('outlive their table, without what was only local', () => {
    const { connection, ...world } = client({ tables: [TASKS] });
    world.download({ tables: [TASKS] }, 'a', { r1: '{"title":"server"}', r2: '{"title":"gone"}' });
    connection.exec(`UPDATE tasks SET title = 'local' WHERE id = 'r1'`);
    connection.exec(`DELETE FROM tasks WHERE id = 'r2'`);
    connection.exec(`INSERT INTO tasks VALUES ('r3', 'new')`);
    world.become({ tables: [] });
    world.become({ tables: [TASKS] });
    const rows = [
      ['r1', 'server'],
      ['r2', 'gone'],
    ];
    expect(world.rows('SELECT * FROM tasks ORDER BY id')).toEqual(rows);
  });

  test('have their values in columns that are declared later, exact', () => {
    const world = client({ tables: [TASKS] });
    const body = '{"id":"r1","title":"t","n":5,"big":9007199254740993}';
    world.download({ tables: [TASKS] }, 'a', { r1: body });
    world.become({ tables: [WIDER] });
    expect(world.rows('SELECT * FROM tasks')).toEqual([['r1', 't', 5, 9007199254740993n]]);
    world.become({ tables: [] });
    world.become({ tables: [WIDER] });
    expect(world.rows('SELECT * FROM tasks')).toEqual([['r1', 't', 5, 9007199254740993n]]);
  });
});

test('rows come in whatever an app’s own constraints say of them', () => {
  const table = tableOf('tasks', ['title TEXT CHECK (length(title) < 3)']);
  const { connection, ...world } = client({ tables: [table] });
  world.download({ tables: [table] }, 'a', { r1: '{"title":"too long"}' });
  expect(world.rows('SELECT * FROM tasks')).toEqual([['r1', 'too long']]);
  expect(() => connection.exec(`INSERT INTO tasks VALUES ('r2', 'too long')`)).toThrow('CHECK');
});

test('rows go also while tables of the app refer to them', () => {
  const { connection, ...world } = client({ tables: [TASKS] });
  world.download({ tables: [TASKS] }, 'a', { r1: '{"title":"one"}' });
  connection.exec(`PRAGMA foreign_keys = 1;
    CREATE TABLE marks (task TEXT REFERENCES tasks ("id"));
    INSERT INTO marks VALUES ('r1')`);
  world.drop({ tables: [TASKS] }, 'a');
  expect(world.rows('SELECT * FROM tasks')).toEqual([]);
  expect(() => connection.exec(`INSERT INTO marks VALUES ('r2')`)).toThrow('FOREIGN KEY');
});
