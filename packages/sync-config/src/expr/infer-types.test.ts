import type { SqliteRow, SqliteType, SqliteValue, TableSchema } from '@sluice/model';
import { must } from '@sluice/base';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { createDefaultDialect } from '../values/default-dialect.ts';
import { definition, planOf, prefixesOf, stream } from '../testing/check.ts';
import { inferTypes } from './infer-types.ts';
import { ANY_JSON, BLOB, INTEGER, REAL, TEXT, UNKNOWN } from './value-types.ts';

const COLUMNS: readonly (readonly [name: string, type: SqliteType])[] = [
  ['id', 'text'],
  ['i', 'integer'],
  ['r', 'real'],
  ['s', 'text'],
  ['b', 'blob'],
];
const TABLE: TableSchema = {
  schema: 'public',
  name: 't',
  columns: COLUMNS.map(([name, sqliteType]) => ({ name, sqliteType, sourceType: 'test' })),
};

function typesOf(expression: string, edition = 3): number {
  const query = `SELECT id, ${expression} AS x FROM t`;
  const plan = planOf(edition < 3 ? definition(query, undefined, edition) : stream(query));
  const column = plan.clientSchema([TABLE]).tables[0]?.columns.find(({ name }) => name === 'x');
  return must(column, 'the column x').types;
}

describe('the types of an expression (spec 17.3)', () => {
  it.each([
    ['i', INTEGER],
    ['r', REAL],
    ['s', TEXT],
    ['b', BLOB],
    ['missing', UNKNOWN],
    ['1', INTEGER],
    ['1.5', REAL],
    ["'x'", TEXT],
    ['TRUE', INTEGER],
    ['NULL', UNKNOWN],
    ['s = 1', INTEGER],
    ['s != r', INTEGER],
    ['NOT s', INTEGER],
    ['s IS NULL', INTEGER],
    ['i BETWEEN 1 AND 2', INTEGER],
    ['i IN ARRAY[1, 2]', INTEGER],
    ["s NOT IN '[1]'", INTEGER],
    ['i + 1', INTEGER],
    ['i / 2', INTEGER],
    ['i * r', REAL],
    ['s - r', REAL],
    ['s + i', TEXT | INTEGER],
    ['s || i', TEXT],
    ['upper(s)', TEXT],
    ['substring(s, 1)', TEXT],
    ['typeof(i)', TEXT],
    ['hex(b)', TEXT],
    ['base64(b)', TEXT],
    ['uuid_blob(s)', BLOB],
    ['length(s)', INTEGER],
    ["instr(s, 'x')", INTEGER],
    ['json_array_length(s)', INTEGER],
    ['json_keys(s)', TEXT],
    ["s ->> 'a'", ANY_JSON],
    ["json_extract(s, '$.a')", ANY_JSON],
    ["s -> 'a'", TEXT],
    ['CAST(s AS INTEGER)', INTEGER],
    ['s::real', REAL],
    ['s::numeric', INTEGER | REAL],
    ['i::text', TEXT],
    ['s::blob', BLOB],
    ['ifnull(i, s)', INTEGER | TEXT],
    ['iif(b, i, r)', INTEGER | REAL],
    ['CASE WHEN s THEN i ELSE r END', INTEGER | REAL],
    ['CASE WHEN s THEN i WHEN r THEN s END', INTEGER | TEXT],
    ['CASE s WHEN r THEN i ELSE b END', INTEGER | BLOB],
    ['unixepoch(s)', INTEGER],
    ["unixepoch(s, 'subsec')", REAL],
    ['unixepoch(s, s)', INTEGER | REAL],
    ['datetime(s)', TEXT],
    ['t.table_name()', TEXT],
  ])('%s', (expression, types) => expect(typesOf(expression)).toBe(types));

  it('json_valid of bucket definitions is an integer', () => {
    expect(typesOf('json_valid(s)', 1)).toBe(INTEGER);
  });

  it('of a function without a rule may be anything', () => {
    const call = { kind: 'call', table: 'function', name: 'later', args: [] } as const;
    expect(inferTypes({ ...call, start: 0, end: 0 }, () => TEXT)).toBe(ANY_JSON | BLOB);
  });
});

const VALUES: Readonly<Record<string, readonly SqliteValue[]>> = {
  text: ['', '12', '1.5', 'x', '{"a":[1,2.5]}', '[1]', '2031-07-08', null],
  integer: [0n, 7n, -3n, null],
  real: [0.5, 2, -1.25, null],
  blob: [new Uint8Array([1, 255]), null],
};

it('no value has a type that was not inferred (random expressions, all functions)', () => {
  const seed = 20_261_201;
  const random = new SeededRandom(seed);
  let checked = 0;
  for (let round = 0; round < 1500; round++) {
    const text = randomExpression(random, 3);
    const plan = planOf(stream(`SELECT id, typeof(${text}) AS kind, ${text} AS x FROM t`));
    const column = plan.clientSchema([TABLE]).tables[0]?.columns.find(({ name }) => name === 'x');
    const row: SqliteRow = COLUMNS.map(([, type]) => random.pick(VALUES[type] ?? []));
    const data = plan.rowEvaluator(TABLE, prefixesOf(plan))?.evaluate(row).outputs[0]?.data;
    if (data === undefined) continue; // a row error
    const { kind } = JSON.parse(data) as { kind: keyof typeof BITS };
    const types = must(column, 'the column x').types;
    if (kind !== 'null') checked++;
    expect({
      seed,
      round,
      text,
      row,
      kind,
      fits: kind === 'null' || (types & BITS[kind]) > 0,
    }).toEqual({ seed, round, text, row, kind, fits: true });
  }
  expect(checked).toBeGreaterThan(500);
}, 60_000);

const BITS = { null: UNKNOWN, blob: BLOB, text: TEXT, integer: INTEGER, real: REAL };

const CASTS = ['text', 'integer', 'real', 'numeric', 'blob'];
const INFIX = ['=', '!=', '<', 'AND', 'OR', '||'];

function randomExpression(random: SeededRandom, depth: number): string {
  const inner = () => randomExpression(random, depth - 1);
  if (depth === 0 || random.chance(0.15)) {
    return random.pick(['i', 'r', 's', 'b', '3', '0.5', "'7'", 'NULL']);
  }
  switch (random.int(8)) {
    case 7: {
      // Of numbers only: for texts the spec's rule says "the union", though '1.5' + 1 is REAL.
      const number = () => `(${inner()})::${random.pick(['integer', 'real', 'numeric'])}`;
      return `(${number()} ${random.pick(['+', '-', '*', '/'])} ${number()})`;
    }
    case 0:
      return `(${inner()})::${random.pick(CASTS)}`;
    case 1:
      return `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`;
    case 2:
      return `CASE ${inner()} WHEN ${inner()} THEN ${inner()} WHEN 1 THEN ${inner()} END`;
    case 3:
      return `(${inner()} ${random.pick(["->> 'a'", "-> 'a'", 'IS NULL', 'IS TRUE'])})`;
    case 4:
    case 5: {
      const functions = [...createDefaultDialect({ edition: 3, fixedJsonExtract: true }).functions];
      const [name, { minArgs }] = random.pick(functions);
      return `${name}(${Array.from({ length: minArgs }, inner).join(', ')})`;
    }
    default:
      return `(${inner()} ${random.pick(INFIX)} ${inner()})`;
  }
}
