import { ScratchPostgres, SeededRandom } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataApiOn, type AskData } from '../testing/data-api-on.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const QUERIES = 200;

let scratch: ScratchPostgres;
let pool: pg.Pool;
let ask: AskData;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({
    connectionString: scratch.server.url(),
    max: 2,
    options: '-c TimeZone=UTC',
  });
  await pool.query(`
    CREATE TABLE facts (id int PRIMARY KEY, owner text, n int, r float8, c1 text, k0 int, t text, b boolean, at timestamptz);
    INSERT INTO facts SELECT i, (array['ann', 'ben'])[1 + i % 2], nullif(i % 7, 3), i / 3.0, 'c' || i % 4, 100 - i, nullif('t' || i % 5, 't2'), (array[true, false, null])[1 + i % 3],
      '2026-01-01'::timestamptz + (i % 11) * interval '1 day' FROM generate_series(1, 60) AS i;
    CREATE TABLE victims (id int PRIMARY KEY, secret text); INSERT INTO victims VALUES (1, 'hush')`);
  ask = dataApiOn(pool, {
    readRuleOf: (table) => (table === 'facts' ? 'owner = auth.user_id()' : undefined),
  });
});
afterAll(async () => {
  await pool?.end();
  await scratch?.[Symbol.asyncDispose]();
});

const VALUES: Readonly<Record<string, readonly string[]>> = {
  id: ['1', '17', '40', '-3'],
  n: ['0', '2', '6'],
  r: ['0.5', '10', '13.333333333333334'],
  c1: ['c1', 'c2'],
  k0: ['50', '60'],
  t: ['t0', 't4', 'x', "it's"],
  b: ['true', 'false'],
  at: ['2026-01-03T00:00:00Z', '2026-01-09'],
};
const OPERATORS = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

/** A condition in JSON, and the same in SQL. */
function condition(random: SeededRandom, depth = 0): { json: object; sql: string } {
  const column = random.pick(Object.keys(VALUES));
  const value = random.pick(VALUES[column] ?? []);
  const quoted = `'${value.replaceAll("'", "''")}'`;
  switch (random.int(depth > 2 ? 3 : 6)) {
    case 0:
      return { json: { [column]: null }, sql: `${column} IS NULL` };
    case 1:
      return { json: { [column]: { in: [value] } }, sql: `${column} IN (${quoted})` };
    case 2: {
      const op = random.pick(Object.keys(OPERATORS)) as keyof typeof OPERATORS;
      return { json: { [column]: { [op]: value } }, sql: `${column} ${OPERATORS[op]} ${quoted}` };
    }
    case 3: {
      const part = condition(random, depth + 1);
      return { json: { $not: part.json }, sql: `NOT (${part.sql})` };
    }
    default: {
      const word = random.pick(['or', 'and']);
      const parts = [condition(random, depth + 1), condition(random, depth + 1)];
      const sql = parts.map((part) => `(${part.sql})`).join(` ${word} `);
      return { json: { [`$${word}`]: parts.map(({ json }) => json) }, sql };
    }
  }
}

test(`random queries give what SQL gives, page by page, and only the caller's rows (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED);
  for (let count = 0; count < QUERIES; count += 1) {
    const { json, sql } = condition(random);
    const column = random.pick(Object.keys(VALUES));
    const isDescending = random.int(2) === 1;
    const direction = isDescending ? 'desc' : 'asc';
    const { rows } = await pool.query(
      `SELECT id FROM facts WHERE owner = 'ann' AND (${sql}) ORDER BY ${column} ${direction}, id ${direction}`,
    );
    const found: unknown[] = [];
    let after: unknown;
    do {
      const body = {
        from: 'facts',
        where: json,
        order: [`${column}.${direction}`],
        limit: 7,
        count: 'exact',
        after,
      };
      const answer = await ask('POST', '/data/query', { body });
      expect([answer.status, answer.body['count']], sql).toEqual([200, rows.length]);
      found.push(...(answer.body['rows'] as { id: number }[]).map(({ id }) => ({ id })));
      after = answer.body['next'] ?? undefined;
    } while (after !== undefined);
    expect(found, `${sql} ORDER BY ${column} ${direction}`).toEqual(rows);
  }
});

const NASTY = [
  "'",
  '"',
  ';',
  '--',
  '/*',
  '*/',
  '\\',
  '$1',
  '$$',
  '\0',
  '\n',
  '%',
  '(',
  ')',
  ',',
  '.',
  '..',
  '{}',
  '[]',
  'null',
  'true',
  '1 OR 1=1',
  "' OR '1'='1",
  '"; DROP TABLE facts; --',
  '1); DELETE FROM facts; --',
  'pg_sleep(10)',
  '(SELECT secret FROM victims)',
  'owner" = "owner',
  'id::text',
  'secret',
  'victims',
  'not.',
  'is.null',
  'in.',
  'eq.',
  '\u{1F600}',
  'x'.repeat(300),
] as const;

test(`strings that try to be SQL are names and values, or are refused (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED + 1);
  const text = () => Array.from({ length: 1 + random.int(3) }, () => random.pick(NASTY)).join('');
  const some = <T>(real: T) => (random.int(3) === 0 ? real : text());
  const before = (await pool.query('SELECT * FROM facts ORDER BY id')).rows;
  for (let count = 0; count < QUERIES; count += 1) {
    const url = new URLSearchParams();
    url.set(some('t'), `${some('eq')}.${text()}`);
    if (random.int(2)) url.set('order', some('id'));
    if (random.int(2)) url.set('select', some('id,t'));
    if (random.int(4) === 0) url.set('after', text());
    const table = encodeURIComponent(some('facts'));
    const body = {
      from: some('facts'),
      where: { [some('t')]: { [some('eq')]: text() } },
      order: [some('id')],
    };
    const aggregate = {
      from: some('facts'),
      aggregate: [{ [some('sum')]: some('n') }],
      group_by: [some('t')],
    };
    const answers = [
      await ask('GET', `/data/${table}?${url}`),
      await ask('GET', `/data/facts/${encodeURIComponent(text())}`),
      await ask('POST', '/data/query', { body }),
      await ask('POST', '/data/query', { body: aggregate }),
      await ask('PATCH', `/data/${table}?${url}`, { body: { [text()]: text() } }),
      await ask('POST', `/data/${table}?on_conflict=update`, {
        body: { id: text(), [text()]: text() },
      }),
      await ask('DELETE', `/data/facts/${encodeURIComponent(text())}`),
    ];
    for (const { status, body: answer } of answers) {
      expect([200, 400, 403, 404, 422], JSON.stringify([status, answer, [...url], body])).toContain(
        status,
      );
      expect(JSON.stringify(answer)).not.toContain('hush');
    }
  }
  expect((await pool.query('SELECT * FROM facts ORDER BY id')).rows).toEqual(before);
}, 180_000);
