import { SeededRandom } from '@sluice/testing';
import { createPostgresSource } from '@sluice/source-postgres';
import { silentLogger, systemClock } from '@sluice/base';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RowValues } from './pipeline/row-write.ts';
import { rowJson } from './upload/upload-route.ts';
import { results, WriteApiWorld } from './testing/write-api-world.ts';

const SCHEMA = `
CREATE TABLE texts (id text PRIMARY KEY, a text UNIQUE, b int CHECK (b < 90), c int[] DEFAULT '{7}');
CREATE TABLE uuids (id uuid PRIMARY KEY, a text UNIQUE, b int CHECK (b < 90), c int[] DEFAULT '{7}');
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE place AS (street text, number int);
CREATE DOMAIN flag AS boolean;
CREATE TABLE typed (id text PRIMARY KEY, bool_ boolean, flag_ flag, int_ int, big_ bigint, float_ float8, num_ numeric(12,2),
  char_ char(3), uuid_ uuid, tz_ timestamptz, ts_ timestamp, date_ date, time_ time, json_ json, jsonb_ jsonb, ints_ int[], texts_ text[],
  jsonbs_ jsonb[], bytes_ bytea, mood_ mood, place_ place, range_ int4range, inet_ inet, interval_ interval, bits_ bit(3),
  twice_ text GENERATED ALWAYS AS (id || id) STORED);
INSERT INTO typed (id, bool_, flag_, int_, big_, float_, num_, char_, uuid_, tz_, ts_, date_, time_, json_, jsonb_, ints_, texts_, jsonbs_,
  bytes_, mood_, place_, range_, inet_, interval_, bits_)
VALUES ('full', true, false, 1, 9223372036854775807, 0.1, 10.50, 'ab', '11111111-1111-4111-8111-111111111111', '2031-07-08 09:10:11.25+02',
  '2031-07-08 09:10:11', '2031-07-08', '18:30:05.4', '{"a": 1}', '{"a":[1,"x"]}', '{1,NULL,3}', '{"a b","q\\"\\\\","NULL"}', ARRAY['{"a":1}'::jsonb],
  '\\x0102ff', 'happy', ROW('Main "St"', 5), '[1,5)', '10.0.0.1/8', '1 day 02:00:00', '101'), ('empty');
`.replace(", ('empty');", ";\nINSERT INTO typed (id) VALUES ('empty');");

let world: WriteApiWorld;
beforeAll(async () => {
  world = await WriteApiWorld.start({ wal_level: 'logical' });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.reset(SCHEMA));

test('many writes in one upload come to the same as one after the other', async () => {
  const random = new SeededRandom(4);
  const api = world.api({ config: { rejected_writes: false } });
  for (let round = 0; round < 40; round += 1) {
    await world.pool.query('TRUNCATE texts, uuids');
    const entries = Array.from({ length: 1 + random.int(40) }, () => randomEntry(random));
    const together = await results(api, { entries });
    const state = await both();
    await world.pool.query('TRUNCATE texts, uuids');
    const oneByOne = [];
    for (const entry of entries) oneByOne.push(...(await results(api, { entries: [entry] })));
    expect(
      together.map(({ status, code }) => [status, code]),
      `round ${round}`,
    ).toEqual(oneByOne.map(({ status, code }) => [status, code]));
    expect(state, `round ${round}`).toEqual(await both());
  }
});

async function both(): Promise<unknown[]> {
  return [
    await world.rows('SELECT * FROM texts ORDER BY id'),
    await world.rows('SELECT * FROM uuids ORDER BY id'),
  ];
}

/** Few ids, also such that only PostgreSQL knows to be one; some break a constraint or have no such value. */
function randomEntry(random: SeededRandom) {
  const table = random.pick(['texts', 'texts', 'uuids']);
  const hex = random.pick(['a', 'b', 'c', 'A']);
  const id = table === 'uuids' ? `${hex.repeat(8)}-1111-4111-8111-111111111111` : hex;
  const op = random.pick(['PUT', 'PUT', 'PUT', 'PATCH', 'PATCH', 'DELETE']);
  const value = random.chance(0.03) ? 'x' : random.int(95);
  const data = random.pick([
    { b: value },
    { b: value },
    { a: `${random.int(40)}`, b: value },
    { c: '[1,2]' },
    {},
  ]);
  return { op, table, id, tx: random.int(3), ...(op === 'DELETE' ? {} : { data }) };
}

test('a stored row is read as replication reads it, and what it holds can be written back unchanged', async () => {
  const stored = new Map<string, RowValues | undefined>();
  const look = world.api({
    stepsOf: () => ({
      bundles: [
        { needsStored: () => true, steps: [(write, row) => void stored.set(write.id, row)] },
      ],
    }),
  });
  const { port } = new URL(world.scratch.server.url());
  await using source = createPostgresSource({
    uri: world.scratch.server.url(),
    sslmode: 'disable',
    port: Number(port),
    clock: systemClock,
    logger: silentLogger,
  });
  const peeked = await source.peekRows({ schema: 'public', name: 'typed', limit: 10 });
  for (const row of peeked?.rows ?? []) {
    const columns = peeked?.table.columns.map(({ name }) => name) ?? [];
    const replicated = new Map(columns.map((name, at) => [name, row[at] ?? null]));
    const id = String(replicated.get('id'));
    await results(look, { entries: [{ op: 'DELETE', table: 'typed', id }] });
    const read = new Map(stored.get(id));
    for (const name of replicated.keys())
      expect([name, read.get(name)]).toEqual([name, replicated.get(name)]);

    const { id: _id, twice_: _twice, ...data } = rowJson(replicated);
    const answer = await results(world.api(), {
      entries: [{ op: 'PUT', table: 'typed', id: `${id}2`, data }],
    });
    expect(answer).toEqual([{ seq: null, status: 'ok' }]);
    const texts = columns
      .filter((name) => !['id', 'twice_'].includes(name))
      .map((name) => `${name}::text`)
      .join(', ');
    const [before, after] = await world.rows(
      `SELECT ${texts} FROM typed WHERE id IN ('${id}', '${id}2') ORDER BY id`,
    );
    expect(after).toEqual(before);
  }
  expect([...stored.keys()].sort()).toEqual(['empty', 'full']);
});

test('a column that gets another type is written as the new one at once', async () => {
  const api = world.api();
  const write = (value: unknown) =>
    results(api, { entries: [{ op: 'PUT', table: 'texts', id: 'a', data: { b: value } }] });
  expect((await write(5))[0]?.status).toBe('ok');
  await world.pool.query(
    'ALTER TABLE texts DROP CONSTRAINT texts_b_check, ALTER COLUMN b TYPE text',
  );
  expect((await write('no number'))[0]?.status).toBe('ok');
  await world.pool.query('ALTER TABLE texts DROP COLUMN b');
  expect((await write('gone'))[0]?.code).toBe('UPLOAD_COLUMN_UNKNOWN');
});
