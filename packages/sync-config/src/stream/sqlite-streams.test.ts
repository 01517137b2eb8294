import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  compile,
  evaluate,
  planOf,
  problems,
  stream,
  visibleRows,
  type Row,
} from '../testing/check.ts';

function stream4(query: string, config = '{ edition: 4 }'): string {
  return stream(query, 4).replace('{ edition: 4 }', config);
}

const CLAIMS = { sub: 'u1', level: 2, half: 0.5, text: '2', ids: ['a', 'b'], numbers: [1, 2.5] };

/** The ids of the rows of `t` that a user sees. */
async function seen(where: string, rows: readonly Row[], others: readonly Row[] = []) {
  const plan = planOf(stream4(`SELECT * FROM t WHERE ${where}`));
  const visible = await visibleRows(plan, { claims: CLAIMS, rows: { t: rows, m: others } });
  return visible.map((name) => name.replace('t/', ''));
}

/** The same, asked of SQLite. */
function selected(where: string, rows: readonly Row[]): unknown[] {
  const json = '(SELECT value FROM json_each($1))';
  const claims = `'${JSON.stringify(CLAIMS)}'`;
  const sql = where
    .replace(/IN ('\[[^']*')/, `IN ${json}`)
    .replace(/IN (auth\.parameter\('\w+'\))/, `IN ${json}`)
    .replaceAll(/auth\.parameter\(('\w+')\)/g, `(${claims} ->> $1)`);
  const database = new Database(':memory:');
  database.exec('CREATE TABLE t (id, x)');
  const insert = database.prepare('INSERT INTO t VALUES (?, ?)');
  for (const { id, x } of rows) insert.run(id, x);
  return database.prepare(`SELECT id FROM t WHERE ${sql} ORDER BY id`).pluck().all();
}

/** One row for each value. */
function rowsOf(...values: readonly Row[string][]): Row[] {
  return values.map((x, i) => ({ id: String(i), x }));
}

describe('streams of edition 4', () => {
  // The values of x are 0: 2, 1: '2', 2: 2.0, 3: NULL, 4: 'A', 5: 'a', 6: ' 2 ', 7: 0.5
  const ROWS = rowsOf(2n, '2', 2, null, 'A', 'a', ' 2 ', 0.5);
  it.each([
    // Links: no affinity on either side, so TEXT is not a number.
    ["x = auth.parameter('level')", ['0', '2']],
    ["x = auth.parameter('text')", ['1']],
    ["x = auth.parameter('half')", ['7']],
    // CAST gives the other side an affinity, in front of the key.
    ["x = CAST(auth.parameter('text') AS INTEGER)", ['0', '1', '2', '6']],
    ["CAST(x AS TEXT) = auth.parameter('level')", ['0', '1']],
    ["CAST(x AS TEXT) = auth.parameter('text')", ['0', '1']],
    ["+x = CAST(auth.parameter('level') AS TEXT)", ['0', '1']],
    // Lists over row and request.
    ["x IN (auth.parameter('level'), 'a')", ['0', '2', '5']],
    ["x IN auth.parameter('ids')", ['5']],
    ["auth.parameter('level') IN (1, 2) AND x = 'a'", ['5']],
    // Filters.
    ["x COLLATE NOCASE = 'a'", ['4', '5']],
    ["x LIKE 'a'", ['4', '5']],
    ['x IS NULL', ['3']],
    ['x != 2', ['1', '4', '5', '6', '7']],
    ['NOT x = 2', ['1', '4', '5', '6', '7']],
    ['x IS NOT 2', ['1', '3', '4', '5', '6', '7']],
    ['x', ['0', '1', '2', '6', '7']],
    ['x NOT IN (2, NULL)', []],
    ["x NOT IN '[2]'", ['1', '4', '5', '6', '7']],
    ['CAST(x AS INTEGER) % 2 = 0', ['0', '1', '2', '4', '5', '6', '7']],
  ])('%s', async (where, ids) => {
    expect(await seen(where, ROWS)).toEqual(ids);
    expect(selected(where, ROWS)).toEqual(ids);
  });

  it('compare the columns of a subquery as SQLite does', async () => {
    const members = [{ id: 'm', k: '2', user_id: 'u1' }];
    const query = (column: string) =>
      `x IN (SELECT ${column} FROM m WHERE user_id = auth.user_id())`;
    expect(await seen(query('k'), ROWS, members)).toEqual(['1']);
    expect(await seen(query('CAST(k AS INTEGER)'), ROWS, members)).toEqual(['0', '1', '2', '6']);
    expect(await seen(query('k COLLATE NOCASE'), ROWS, members)).toEqual(['1']);
  });

  it('keep integral numbers of requests and JSON integers', async () => {
    const plan = planOf(stream4("SELECT id, j ->> 'n' AS n, j -> 'o' AS o FROM t"));
    const row = { id: '1', j: '{"n": 7, "o": {"p": 1}}' };
    expect(evaluate(plan, 't', row).outputs[0]?.data).toBe('{"id":"1","n":7,"o":"{\\"p\\":1}"}');
    expect(await seen("typeof(auth.parameter('level')) = 'integer'", rowsOf(1n))).toEqual(['0']);
    expect(await seen("x = 1.0 AND auth.parameter('numbers') = '[1,2.5]'", rowsOf(1n))).toEqual([
      '0',
    ]);
  });
});

describe('the option of edition 3', () => {
  const OPTION = '{ edition: 3, unstable_sqlite_expression_engine: true }';

  it('has the meaning of SQLite and the grammar of edition 3', () => {
    const plan = planOf(stream4("SELECT id, 3.0 || '' AS a, x != 1 AS b FROM t", OPTION));
    const { outputs } = evaluate(plan, 't', { id: '1', x: null });
    expect(outputs[0]?.data).toBe('{"id":"1","a":"3.0","b":null}');
    expect(problems(stream4('SELECT id, x % 2 AS y FROM t', OPTION))).toEqual([
      'UNSUPPORTED_OPERATOR: %',
    ]);
    expect(problems(stream4('SELECT id, round(x) AS y FROM t', OPTION))).toEqual([
      'UNKNOWN_FUNCTION: round',
    ]);
  });
});

describe('edition 4 refuses, by name,', () => {
  it.each([
    // What comes later.
    ["SELECT * FROM t WHERE created > datetime('now', '-7 days')", 'UNSUPPORTED_OPERATOR'],
    ['SELECT * FROM t WHERE created > now()', 'UNKNOWN_FUNCTION'],
    ['SELECT * FROM t WHERE created > CURRENT_TIMESTAMP', 'UNSUPPORTED_OPERATOR'],
    ['SELECT * FROM t WHERE created > unixepoch()', 'ARG_COUNT'],
    ['SELECT * FROM t ORDER BY created LIMIT 10', 'UNSUPPORTED_CLAUSE'],
    ['SELECT * FROM t LIMIT 10', 'UNSUPPORTED_CLAUSE'],
    ['SELECT t.* FROM t LEFT JOIN m ON m.t = t.id', 'UNSUPPORTED_CLAUSE'],
    ['SELECT * FROM t WHERE id NOT IN (SELECT t FROM m)', 'NEGATED_MATCH'],
    ['SELECT * FROM t WHERE NOT id IN (SELECT t FROM m)', 'NEGATED_MATCH'],
    ['SELECT id, count(*) AS n FROM t', 'UNKNOWN_FUNCTION'],
    ['SELECT id, (SELECT count(*) FROM m WHERE m.t = t.id) AS n FROM t', 'SCALAR_SUBQUERY'],
    ['SELECT id, n FROM t GROUP BY id', 'UNSUPPORTED_CLAUSE'],
    ['SELECT id, row_number() OVER (ORDER BY n) AS r FROM t', 'UNKNOWN_FUNCTION'],
    // What cannot be exact.
    ['SELECT id, random() AS r FROM t', 'UNKNOWN_FUNCTION'],
    ['SELECT id, exp(n) AS r FROM t', 'UNKNOWN_FUNCTION'],
    ["SELECT id, datetime(n, 'localtime') AS r FROM t", 'UNSUPPORTED_OPERATOR'],
    ['SELECT * FROM t WHERE owner = auth.user_id() COLLATE NOCASE', 'MIXED_EXPR'],
    [
      'SELECT * FROM (SELECT a COLLATE NOCASE AS b FROM t) AS s WHERE b = 1',
      'UNSUPPORTED_OPERATOR',
    ],
    ['SELECT id, a COLLATE german AS b FROM t', 'UNSUPPORTED_OPERATOR'],
    // What is not in the grammar.
    ['SELECT * FROM t WHERE (a, b) IN ((1, 2))', 'SQL_SYNTAX'],
    ['SELECT * FROM t WHERE EXISTS (SELECT 1 FROM m)', 'UNSUPPORTED_OPERATOR'],
    ["SELECT * FROM t WHERE a MATCH 'x'", 'UNSUPPORTED_OPERATOR'],
    ["SELECT * FROM t WHERE a ILIKE 'x'", 'UNSUPPORTED_OPERATOR'],
    ["SELECT * FROM t WHERE a GLOB 'x' ESCAPE 'y'", 'SQL_SYNTAX'],
    ["SELECT id, x'0' AS b FROM t", 'SQL_SYNTAX'],
    ['SELECT id, 12ab AS b FROM t', 'SQL_SYNTAX'],
    ['SELECT id, 0x11223344556677889 AS b FROM t', 'SQL_SYNTAX'],
    ["SELECT id, E'a' AS b FROM t", 'SQL_SYNTAX'],
  ])('%s', (query, code) => {
    const { diagnostics } = compile(stream4(query));
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map((error) => error.code)).toContain(code);
  });

  it('options that would change the meaning', () => {
    const codes = (config: string) =>
      compile(stream4('SELECT * FROM t', config)).diagnostics.map(({ code }) => code);
    expect(codes('{ edition: 4, fixed_json_extract: false }')).toEqual(['OPTION_DEPENDENCY']);
    expect(codes('{ edition: 4, unstable_sqlite_expression_engine: false }')).toEqual([
      'OPTION_DEPENDENCY',
    ]);
    expect(codes('{ edition: 2, unstable_sqlite_expression_engine: true }')).toContain(
      'OPTION_DEPENDENCY',
    );
    expect(
      codes('{ edition: 3, fixed_json_extract: false, unstable_sqlite_expression_engine: true }'),
    ).toEqual(['OPTION_DEPENDENCY']);
  });

  it('a list of one where a JSON array or a CTE was meant', () => {
    const list = "SELECT * FROM t WHERE x IN (auth.parameter('ids'))";
    expect(problems(stream4(list))).toEqual(["LIST_OF_ONE: (auth.parameter('ids'))"]);
    const cte = `config: { edition: 4 }
with: { mine: SELECT id FROM m WHERE u = auth.user_id() }
streams: { s: { query: SELECT * FROM t WHERE x IN (mine) } }`;
    expect(problems(cte)).toContain('SCALAR_SUBQUERY: (mine)');
  });
});
