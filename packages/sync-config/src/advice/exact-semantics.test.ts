import type { SqliteValue } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { compileSyncConfig } from '../compile.ts';
import type { Diagnostic } from '../contract.ts';
import { evaluate, stream, type Row } from '../testing/check.ts';
import { formatReal } from '../values/number-text.ts';
import { EDITIONS } from '../yaml/config-keys.ts';

// What is claimed to differ is computed by edition 3 and by SQLite itself.

const TYPES = { id: 'text', s: 'text', i: 'integer', r: 'real', b: 'integer', j: 'text' } as const;
const SCHEMA = [
  {
    schema: 'public',
    name: 't',
    columns: Object.entries(TYPES).map(([name, sqliteType]) => ({
      name,
      sqliteType,
      sourceType: name === 'b' ? 'bool' : sqliteType,
    })),
  },
];

const database = new Database(':memory:').defaultSafeIntegers(true);
afterAll(() => database.close());

/** The value as JSON, which tells INTEGER and REAL apart; undefined after an error. */
function bySqlite(sql: string, row: Row): string | undefined {
  const columns = Object.keys(TYPES).map((name) => `@${name} AS ${name}`);
  try {
    const value = database
      .prepare(`SELECT (${sql}) FROM (SELECT ${columns.join(', ')})`)
      .pluck()
      .get(withAllColumns(row)) as SqliteValue;
    return toJson(value);
  } catch {
    return undefined;
  }
}

function toJson(value: SqliteValue): string {
  if (typeof value === 'number') return formatReal(value);
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function withAllColumns(row: Row): Row {
  const nothing = Object.fromEntries(Object.keys(TYPES).map((name) => [name, null]));
  return { ...nothing, id: 'x', ...row };
}

function byEdition3(sql: string, row: Row): string | undefined {
  return byConfig(asOutput(sql), sql, row);
}

function byConfig(yaml: string, sql: string, row: Row): string | undefined {
  const { plan } = compileSyncConfig(yaml, OPTIONS);
  if (plan === undefined) throw new Error(`${sql} does not compile`);
  const [output] = evaluate(plan, 't', withAllColumns(row)).outputs;
  return output && /"y":(.*)\}$/.exec(output.data)?.[1];
}

/** Whether the row passes; NULL does not. */
function passes(value: string | undefined): boolean {
  return value !== undefined && value !== 'null' && Number.parseFloat(value.replace('"', '')) !== 0;
}

const OPTIONS = { defaultSchema: 'public', sourceSchema: SCHEMA, exactAdvice: true };

function advice(yaml: string): readonly Diagnostic[] {
  return compileSyncConfig(yaml, OPTIONS).diagnostics.filter(({ severity }) => severity === 'info');
}

function asOutput(sql: string): string {
  return stream(`SELECT id, (${sql}) AS y FROM t`);
}

function asCondition(sql: string): string {
  return stream(`SELECT * FROM t WHERE ${sql}`);
}

/** Applies the edits of the advice, the last one first. */
function applied(sql: string, yaml: string): string {
  const at = yaml.lastIndexOf(sql);
  return advice(yaml)
    .toReversed()
    .reduce(
      (text, { edit }) =>
        edit === undefined
          ? text
          : text.slice(0, edit.start - at) + edit.text + text.slice(edit.end - at),
      sql,
    );
}

const ROWS: readonly Row[] = [
  {},
  { s: 'x', i: 5n, r: 2, b: 1n, j: '{"a":[7],"l":["q"],"a.b":1}' },
  { s: '0.7', i: -3n, r: -1.5, b: 0n, j: '["q"]' },
  { s: 'É😀', i: 0n, r: 0.5, b: 0n, j: '{"a":{"b":2}}' },
  { s: '5', i: 1n, r: -2, b: 1n, j: 'null' },
];

/** Expression, the part that is pointed at, and a row for which the results differ. */
const CLAIMS: readonly (readonly [sql: string, at: string, row: Row | undefined])[] = [
  ["s != 'x'", "s != 'x'", {}],
  ["s <> 'x' OR i = 5", "s <> 'x'", {}],
  ['NOT b', 'NOT b', {}],
  ["NOT (s = 'x' AND i = 5)", "NOT (s = 'x' AND i = 5)", {}],
  ["s NOT IN ARRAY['x']", "s NOT IN ARRAY['x']", undefined],
  ['i NOT BETWEEN 1 AND 9', 'i NOT BETWEEN 1 AND 9', {}],
  ["b AND s = 'x'", "b AND s = 'x'", {}],
  ['b OR i = 9', 'b OR i = 9', {}],
  ['i BETWEEN 9 AND NULL', 'i BETWEEN 9 AND NULL', { i: 1n }],
  ['i IS TRUE', 'i IS TRUE', { i: 5n }],
  ['r IS NOT FALSE', 'r IS NOT FALSE', { r: 0 }],
  ["iif(s, 'yes', 'no')", 's', { s: '0.7' }],
  ['CASE WHEN NOT b THEN 1 ELSE 2 END', 'NOT b', {}],
  ["r || ''", "r || ''", { r: 2 }],
  ['CAST(r AS text)', 'CAST(r AS text)', { r: 2 }],
  ['CAST(r AS integer)', 'CAST(r AS integer)', { r: -1.5 }],
  ['lower(s)', 'lower(s)', { s: 'É' }],
  ["upper('é')", "upper('é')", {}],
  ['length(s)', 'length(s)', { s: '😀' }],
  ['substring(s, 3)', 'substring(s, 3)', { s: 'É😀x' }],
  ["instr(s, 'x')", "instr(s, 'x')", { s: '😀x' }],
  ["CAST(i AS integer) = '5'", "CAST(i AS integer) = '5'", { i: 5n }],
  ['CAST(i AS text) = 5', 'CAST(i AS text) = 5', { i: 5n }],
  ['CAST(s AS integer) BETWEEN s AND 9', 'CAST(s AS integer) BETWEEN s AND 9', { s: '5' }],
  ["j ->> '$.a[0]'", "j ->> '$.a[0]'", { j: '{"a":[7]}' }],
  ["j ->> '$.l.0'", "j ->> '$.l.0'", { j: '{"l":["q"]}' }],
  ["j -> '0'", "j -> '0'", { j: '["q"]' }],
  ['j ->> -1', 'j ->> -1', { j: '["q"]' }],
  ["1 + 2 || 'a'", '1 + 2', {}],
  ["s || j ->> 'a'", "j ->> 'a'", { s: '{"x":1}', j: '{"a":"b"}' }],
  ['i < 3 IN ARRAY[1]', '3 IN ARRAY[1]', undefined],
  ['i = 5 IS NULL', '5 IS NULL', { i: 0n }],
];

describe('advice on exact semantics', () => {
  it.each(CLAIMS)('%s: points at %s, where SQLite gives another value', (sql, at, row) => {
    const yaml = asOutput(sql);
    const places = advice(yaml).map(({ start, end }) => yaml.slice(start, end));
    expect(places.map((place) => place.replace(/^\((.*)\)$/, '$1'))).toContain(at);
    // SQLite has no ARRAY.
    if (row !== undefined) expect(byEdition3(sql, row)).not.toBe(bySqlite(sql, row));
  });

  it.each([
    's = auth.user_id()',
    "s = 'x'",
    "s != 'x' AND s IS NOT NULL",
    "s = 'y' AND s != 'x'",
    "(s IS NULL OR s != 'x')",
    "s != 'x' AND i = 2 AND s > 'a'",
    "NOT (s != 'x')",
    'b AND i > 3 OR s IS NULL',
    'NOT ifnull(b, 0)',
    'NOT b AND b IS NOT NULL',
    'NOT (s IS NULL)',
    'b IS TRUE',
    'i / 2 = 1',
    "CAST(i AS integer) = 5 AND CAST(i AS text) = '5'",
    "upper('abc') = s",
    "j ->> 'a' = 'b' AND j ->> 'a.b' = 1",
    's IN \'["a"]\'',
    "i || 'x' = s",
    'CAST(2.5 AS integer) = i',
  ])('%s: says nothing as a condition', (sql) => {
    const yaml = asCondition(sql);
    expect(advice(yaml)).toEqual([]);
    for (const row of /auth|IN '/.test(sql) ? [] : ROWS) {
      const now = byEdition3(sql, row);
      if (now !== undefined) {
        const exactly = bySqlite(sql, row);
        expect({ sql, row, passes: passes(now) }).toEqual({ sql, row, passes: passes(exactly) });
      }
    }
  });

  it.each([
    ["s != 'x'", "(s IS NULL OR s != 'x')"],
    ['NOT b', 'NOT ifnull(b, 0)'],
    ["NOT (s = 'x' AND i = 5)", "NOT ifnull(s = 'x' AND i = 5, 0)"],
    ['i NOT BETWEEN 1 AND 9', '(i IS NULL OR i NOT BETWEEN 1 AND 9)'],
    ['i IS TRUE', 'ifnull(i = 1, 0)'],
    ['i IS NOT TRUE', 'NOT ifnull(i = 1, 0)'],
    ['r IS FALSE', 'ifnull(r = 0, 0)'],
    ["CAST(i AS integer) = '5'", 'CAST(i AS integer) = 5'],
    ["s || j ->> 'a' = 'x'", "s || (j ->> 'a') = 'x'"],
  ])('%s becomes %s, on which both agree', (sql, rewritten) => {
    const yaml = asCondition(sql);
    expect(applied(sql, yaml)).toBe(rewritten);
    expect(advice(asCondition(rewritten))).toEqual([]);
    for (const row of ROWS) {
      const value = byEdition3(rewritten, row);
      expect(passes(value)).toBe(passes(bySqlite(rewritten, row)));
    }
  });

  it('is given for claims, subqueries and CTEs, at their place', () => {
    const yaml = `config: { edition: 3 }
with:
  mine: SELECT l FROM m WHERE u = auth.user_id() AND k != 'x'
streams:
  a: { query: SELECT * FROM t WHERE auth.parameter('role') != 'guest' }
  b: { query: SELECT * FROM t WHERE s IN mine OR s IN (SELECT l FROM m WHERE NOT hidden) }
`;
    expect(advice(yaml).map(({ start, end }) => yaml.slice(start, end))).toEqual([
      "k != 'x'",
      "auth.parameter('role') != 'guest'",
      'NOT hidden',
    ]);
  });

  it('knows the dialect of bucket definitions, where != follows SQLite and dots split', () => {
    const config = (sql: string) => `bucket_definitions: { d: { data: ["${sql}"] } }`;
    expect(advice(config("SELECT * FROM t WHERE s != 'x'"))).toEqual([]);
    expect(advice(config("SELECT id, j ->> 'a.b' AS y FROM t"))).toHaveLength(1);
    expect(advice(config('SELECT * FROM t WHERE NOT b'))).toHaveLength(1);
  });

  it('is not given unless asked for, nor beside errors', () => {
    const yaml = asCondition("s != 'x'");
    expect(compileSyncConfig(yaml, { defaultSchema: 'public' }).diagnostics).toEqual([]);
    expect(advice(asCondition("s != 'x' AND uper(s) = 'x'"))).toEqual([]);
  });

  it('misses no difference between edition 3 and SQLite in random expressions', () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    let differences = 0;
    const missed: unknown[] = [];
    for (let n = 0; n < 600; n++) {
      const sql = randomBoolean(random, 3);
      const row = randomRow(random);
      const now = byEdition3(sql, row);
      const exactly = bySqlite(sql, row);
      if (now === undefined || exactly === undefined) continue;
      const isFiltered = passes(now) !== passes(exactly);
      if (now !== exactly) differences++;
      const isMissed =
        (now !== exactly && advice(asOutput(sql)).length === 0) ||
        (isFiltered && advice(asCondition(sql)).length === 0);
      if (isMissed) missed.push({ sql, row, now, exactly });
    }
    expect({ seed, missed }).toEqual({ seed, missed: [] });
    expect(differences).toBeGreaterThan(20);
  });
});

// Runs as soon as there is an edition 4.
describe.runIf((EDITIONS as readonly number[]).includes(4))('what edition 4 does', () => {
  it.each(CLAIMS.filter(([, , row]) => row !== undefined))('%s (%s)', (sql, _, row = {}) => {
    const yaml = asOutput(sql).replace('edition: 3', 'edition: 4');
    const exactly = byConfig(yaml, sql, row);
    expect(exactly).toBe(bySqlite(sql, row));
    expect(exactly).not.toBe(byEdition3(sql, row));
    expect(advice(yaml)).toEqual([]);
  });
});

function randomRow(random: SeededRandom): Row {
  return {
    s: random.pick([null, '', 'abc', '0.7', '12 pcs', 'É', '😀x', '5', '3.0']),
    i: random.pick([null, 0n, 1n, -3n, 5n]),
    r: random.pick([null, 0, 2, -1.5, 0.5]),
    b: random.pick([null, 0n, 1n]),
  };
}

function randomBoolean(random: SeededRandom, depth: number): string {
  const bool = () => randomBoolean(random, depth - 1);
  const value = () => randomValue(random, depth - 1);
  if (depth === 0) return random.pick(['b', 'i', 'r', 's', 's IS NULL', '1', '0', "'0.7'"]);
  switch (
    random.pick(['compare', 'compare', 'not', 'and', 'or', 'null', 'is', 'between', 'case'])
  ) {
    case 'compare':
      return `(${value()} ${random.pick(['=', '!=', '<', '>='])} ${value()})`;
    case 'not':
      return `(NOT ${bool()})`;
    case 'and':
      return `(${bool()} AND ${bool()})`;
    case 'or':
      return `(${bool()} OR ${bool()})`;
    case 'null':
      return `(${value()} IS ${random.pick(['', 'NOT '])}NULL)`;
    case 'is':
      return `(${value()} IS ${random.pick(['', 'NOT '])}${random.pick(['TRUE', 'FALSE'])})`;
    case 'between':
      return `(${value()} BETWEEN ${value()} AND ${value()})`;
    default:
      return `iif(${bool()}, ${bool()}, ${bool()})`;
  }
}

function randomValue(random: SeededRandom, depth: number): string {
  const value = () => randomValue(random, depth - 1);
  const number = () => random.pick(['i', 'r', '2', '0.5', '(0 - i)']);
  const text = () => random.pick(['s', "'abc'", "'5'", "'É'"]);
  if (depth <= 0) return random.pick([number(), text()]);
  switch (random.pick(['number', 'text', 'sum', 'join', 'cast', 'function', 'ifnull'])) {
    case 'number':
      return number();
    case 'text':
      return text();
    case 'sum':
      return `(${number()} ${random.pick(['+', '-', '*', '/'])} ${number()})`;
    case 'join':
      return `(${text()} || ${value()})`;
    case 'cast':
      return `CAST(${value()} AS ${random.pick(['integer', 'real', 'text'])})`;
    case 'function':
      return random.pick([
        `upper(${text()})`, `length(${text()})`, `substring(${text()}, 1, 2)`,
        `instr(${text()}, 'x')`, `typeof(${value()})`, `hex(${text()})`,
      ]); // prettier-ignore
    default:
      return `ifnull(${number()}, ${number()})`;
  }
}
