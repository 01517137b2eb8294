import { openConnection } from '@sluice/client-node';
import type { PutOp } from '@sluice/protocol';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SqliteConnection, SqlValue } from '../../driver/contract.ts';
import { installSchema } from '../../schema/install-schema.ts';
import { tableOf } from '../../testing/tables.ts';
import { SqliteSyncStore } from './sqlite-sync-store.ts';
import { createSyncLayout } from './sync-layout.ts';

const TABLE = tableOf('tasks', ['t TEXT', 'i INTEGER', 'r REAL', 'b BLOB']);
const SCHEMA = { tables: [TABLE] };
/** Enough for a download to count as a large one (publisher.ts). */
const LARGE = 'x'.repeat(100_000);

interface Published {
  readonly tasks: SqlValue[][];
  readonly rest: SqlValue[][];
  readonly holders: SqlValue[][];
}

/** What a client has after a first download of these bodies by id: filled in bulk, or row by row, as the table has a row already. */
function download(how: 'in bulk' | 'by row', bodies: readonly (readonly [string, string])[]) {
  const connection = openConnection(':memory:');
  onTestFinished(() => connection.close());
  installSchema(connection, SCHEMA);
  createSyncLayout(connection);
  const gate = { state: () => ({ pending: 0, target: undefined, seen: undefined, sequence: 0 }) };
  const store = new SqliteSyncStore({ connection, schema: SCHEMA, gate, now: () => 0 });
  let opId = 0n;
  const ingest = (rows: readonly (readonly [string, string])[]) => {
    const ops = rows.map(([objectId, data]): PutOp => {
      opId += 1n;
      return { kind: 'PUT', opId, objectType: 'tasks', objectId, subkey: 's', checksum: 0, data };
    });
    store.ingest([{ kind: 'data', bucket: 'a', after: 0n, nextAfter: opId, hasMore: false, ops }]);
  };
  const publish = () => {
    const scope = { kind: 'full', lastOpId: opId, writeCheckpoint: undefined } as const;
    expect(store.publish({ ...scope, buckets: [] }).kind).toBe('published');
  };
  if (how === 'by row') {
    ingest([['first', '{}']]);
    publish();
  }
  ingest([...bodies, ['large', JSON.stringify({ t: LARGE })]]);
  publish();
  return published(connection);
}

function published(connection: SqliteConnection): Published {
  const all = (sql: string) => connection.prepare(sql).all();
  const others = `id NOT IN ('first', 'large')`;
  return {
    tasks: all(
      `SELECT id, typeof(t), t, typeof(i), i, typeof(r), r, typeof(b), b FROM tasks WHERE ${others} ORDER BY id`,
    ),
    rest: all(`SELECT id, data FROM sluice_rest WHERE ${others} ORDER BY id`),
    holders: all(`SELECT id, bucket, subkey, data FROM sluice_row WHERE ${others} ORDER BY id`),
  };
}

describe('a table that is filled in bulk is as one that is filled row by row', () => {
  test.each<[what: string, body: string]>([
    ['every type', '{"id":"x","t":"a","i":1,"r":0.5,"b":"blob"}'],
    ['nulls, and columns that are missing', '{"id":"x","t":null,"r":null}'],
    ['nothing', '{}'],
    ['booleans', '{"t":true,"i":false,"r":true,"b":true}'],
    ['whole numbers in every column', '{"t":5,"i":5,"r":5,"b":5}'],
    ['fractions as they were written', '{"t":1.50,"i":1.0,"r":1e3,"b":0.25}'],
    ['64-bit integers', '{"t":9223372036854775807,"i":-9223372036854775808}'],
    ['more than 64 bits', '{"t":123456789012345678901234567890,"i":92233720368547758080}'],
    ['digits of a double', '{"t":0.1234567890123456789,"r":0.12345678901234567}'],
    ['texts that look like numbers', '{"t":"007","i":"12","r":"1.5","b":"3"}'],
    ['columns that the schema does not have', '{"id":"x","t":"a","more":1.0,"and":{"k":[1,2]}}'],
    ['only such columns', '{"more":"x"}'],
    ['escapes', String.raw`{"t":"\"quoted\" \\ \n \t é 🙂 é🙂 ﻿","more":"\"\\"}`],
    ['zero within a text', String.raw`{"t":"a\u0000b"}`],
    ['white space', '\n{ "t" :\t"a" ,\r\n"i": 1 }\n'],
    ['what looks like the end of a row within a text', String.raw`{"t":"},\n\"y\":{\"t\":1}"}`],
    ['JSON within JSON', '{"t":{"a":[1,"x",null]},"b":[true]}'],
  ])('%s', (_what, body) => {
    const bodies = [
      ['x', body],
      ['y', '{"t":"another"}'],
    ] as const;
    const bulk = download('in bulk', bodies);
    expect(bulk).toEqual(download('by row', bodies));
    expect(bulk.tasks).toHaveLength(2);
  });

  test.each(['with "quotes"', 'back\\slash', 'é🙂', 'line\nend', ',\n', '', '__proto__'])(
    'an id like %j',
    (id) => {
      const bodies = [[id, '{"t":"a","more":1}']] as const;
      const bulk = download('in bulk', bodies);
      expect(bulk).toEqual(download('by row', bodies));
      expect(bulk.tasks[0]?.[0]).toBe(id);
    },
  );

  test('doubles keep every bit', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    const random = new SeededRandom(seed);
    const bits = new DataView(new ArrayBuffer(8));
    const doubles = Array.from({ length: 20_000 }, () => {
      bits.setUint32(0, random.int(2 ** 32));
      bits.setUint32(4, random.int(2 ** 32));
      return bits.getFloat64(0);
    }).filter(Number.isFinite);
    const bulk = download(
      'in bulk',
      doubles.map((double, index) => [String(index).padStart(6, '0'), `{"r":${double}}`]),
    );
    expect(
      bulk.tasks.map((row) => row[6]),
      `seed ${seed}`,
    ).toEqual(doubles);
  });
});
