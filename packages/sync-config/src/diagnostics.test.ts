import { describe, expect, it } from 'vitest';
import { compile, definition, problems, stream } from './testing/check.ts';
import { formatDiagnostic } from './format-diagnostic.ts';

// spec/sync-config.md 16: code and the text that it points at.

describe('the shape of the file', () => {
  it.each([
    ['a: [', ['YAML_SYNTAX']],
    ['streams: {}\nstreams: {}', ['YAML_SYNTAX', 'EDITION']],
    ['- x', ['YAML_SCHEMA']],
    ['', ['YAML_SCHEMA']],
    ['config: {}', ['YAML_SCHEMA']],
    ['bucket_definitions: {}', []],
    ['bucket_definitions: {}\nevent_definitions: { e: { payloads: [] } }', []],
    ['bucket_definition: {}\nconfig: { edition: 2 }', ['YAML_SCHEMA']],
    ['bucket_definitions: { a: }', ['YAML_SCHEMA']],
    ['bucket_definitions: { a: { data: SELECT } }', ['YAML_SCHEMA']],
    ['bucket_definitions: { a: { data: [], parameters: [] } }', ['YAML_SCHEMA']],
    ['bucket_definitions: { a: { data: [] } }', []],
    ['bucket_definitions: { a: { data: [], priority: 4 } }', ['PRIORITY']],
    ['streams: {}', ['EDITION']],
    ['config: { edition: 3 }\nbucket_definitions: {}', ['EDITION']],
    ['config: { edition: 2 }\nstreams: {}', ['EDITION_UPGRADE']],
    ['config: { edition: 9 }\nstreams: {}', ['EDITION']],
    ['config: { edition: 3 }\nstreams: { a: {} }', ['YAML_SCHEMA']],
    ['config: { edition: 3, timestamps_iso8601: 1 }\nstreams: {}', ['OPTION_VALUE']],
    ['config: { edition: 3, timestamp_max_precision: years }\nstreams: {}', ['OPTION_VALUE']],
    ['config: { timestamp_max_precision: seconds }\nbucket_definitions: {}', ['OPTION_DEPENDENCY']],
    ['config: { edition: 3, storage_version: 3 }\nstreams: {}', ['STORAGE_VERSION']],
    ['config: { edition: 3, storage_version: 1 }\nstreams: {}', ['STORAGE_VERSION']],
  ])('%j has %j', (yaml, codes) => {
    expect(compile(yaml).diagnostics.map(({ code }) => code)).toEqual(codes);
  });

  it('refuses a name that is used in both maps', () => {
    const yaml =
      'config: { edition: 2 }\nbucket_definitions: { a: { data: [] } }\n' +
      'streams: { a: { query: SELECT id FROM t } }';
    expect(problems(yaml)).toContain('DUPLICATE_NAME: a');
  });
});

describe('queries of every kind', () => {
  it.each([
    ['SELEC * FROM t', ['NOT_A_SELECT: SELEC']],
    ['DELETE FROM t', ['NOT_A_SELECT: DELETE']],
    ['WITH a AS (SELECT 1) SELECT * FROM a', ['UNSUPPORTED_CLAUSE: WITH']],
    ['SELECT * FROM t WHERE', ['SQL_SYNTAX: ']],
    ['SELECT * FROM t GROUP BY a', ['UNSUPPORTED_CLAUSE: GROUP']],
    ['SELECT * FROM t ORDER BY a', ['UNSUPPORTED_CLAUSE: ORDER']],
    ['SELECT * FROM t LIMIT 1', ['UNSUPPORTED_CLAUSE: LIMIT']],
    ['SELECT id FROM t UNION SELECT id FROM u', ['UNSUPPORTED_CLAUSE: UNION']],
    ['SELECT t.* FROM t LEFT JOIN u ON 1', ['UNSUPPORTED_CLAUSE: LEFT']],
    ['SELECT * FROM t WHERE a IN (1, 2)', ['SQL_SYNTAX: (1, 2)']],
    ['SELECT id, uper(a) AS b FROM t', ['UNKNOWN_FUNCTION: uper']],
    ['SELECT id, random() AS b FROM t', ['UNKNOWN_FUNCTION: random']],
    ['SELECT id, upper() AS b FROM t', ['ARG_COUNT: upper()']],
    ['SELECT id, a::money AS b FROM t', ['CAST_TYPE: money']],
    ['SELECT id, a % 2 AS b FROM t', ['UNSUPPORTED_OPERATOR: %']],
    ["SELECT * FROM t WHERE a LIKE 'x'", ['UNSUPPORTED_OPERATOR: LIKE']],
    ["SELECT * FROM t WHERE a NOT LIKE 'x'", ['UNSUPPORTED_OPERATOR: LIKE']],
    ['SELECT * FROM t WHERE EXISTS (SELECT 1)', ['UNSUPPORTED_OPERATOR: EXISTS (SELECT 1)']],
    ['SELECT * FROM t WHERE a = ANY(b)', ['UNSUPPORTED_OPERATOR: ANY(b)']],
    ['SELECT * FROM t WHERE a IS DISTINCT FROM b', ['UNSUPPORTED_OPERATOR: a IS DISTINCT FROM b']],
    ['SELECT id, -a AS b FROM t', ['UNSUPPORTED_OPERATOR: -a']],
    ['SELECT id, substring(a FROM 1) AS b FROM t', ['UNSUPPORTED_OPERATOR: substring(a FROM 1)']],
    ['SELECT id, x.a FROM t', ['UNKNOWN_TABLE: x']],
    ['SELECT id, order FROM t', ['SQL_SYNTAX: order']],
    ['SELECT id, (SELECT 1) AS b FROM t', ['SCALAR_SUBQUERY: (SELECT 1)']],
  ])('%s has %j', (sql, expected) => {
    expect(problems(definition(sql))).toEqual(expected);
    expect(problems(stream(sql))).toEqual(expected);
  });
});

describe('bucket definitions', () => {
  const byUser = 'SELECT request.user_id() AS u';

  it.each([
    ['SELECT name FROM t', undefined, ['ID_REQUIRED: name']],
    ['SELECT id, upper(a) FROM t', undefined, ['ALIAS_REQUIRED: upper(a)']],
    ['SELECT DISTINCT id FROM t', undefined, ['UNSUPPORTED_CLAUSE: DISTINCT']],
    ['SELECT * FROM t, u', undefined, ['UNSUPPORTED_CLAUSE: u']],
    [
      'SELECT * FROM t WHERE a BETWEEN 1 AND 2',
      undefined,
      ['UNSUPPORTED_OPERATOR: a BETWEEN 1 AND 2'],
    ],
    ["SELECT * FROM t WHERE a NOT IN '[]'", undefined, ["UNSUPPORTED_OPERATOR: a NOT IN '[]'"]],
    ['SELECT id, j ->> 0 AS x FROM t', undefined, ['UNSUPPORTED_OPERATOR: 0']],
    ['SELECT * FROM Todos', undefined, ['UNQUOTED_UPPERCASE: Todos']],
    ['SELECT * FROM t WHERE a = auth.user_id()', undefined, ['UNKNOWN_FUNCTION: auth.user_id']],
    [
      'SELECT * FROM t WHERE a = request.user_id()',
      undefined,
      ['REQUEST_IN_DATA: request.user_id()'],
    ],
    [
      'SELECT * FROM t WHERE a = token_parameters.x',
      undefined,
      ['REQUEST_IN_DATA: token_parameters.x'],
    ],
    ['SELECT * FROM t', byUser, ['PARAMS_NOT_COVERED: SELECT * FROM t']],
    ['SELECT * FROM t WHERE a = bucket.u', undefined, ['PARAMS_NOT_COVERED: bucket.u']],
    ['SELECT * FROM t WHERE a = bucket.u', byUser, []],
    ['SELECT * FROM t WHERE a > bucket.u', byUser, ['BUCKET_PARAM_IN_EXPR: a > bucket.u']],
    [
      'SELECT * FROM t WHERE a = upper(bucket.u)',
      byUser,
      ['BUCKET_PARAM_IN_EXPR: a = upper(bucket.u)'],
    ],
    [
      'SELECT *, bucket.u AS x FROM t WHERE a = bucket.u',
      byUser,
      ['BUCKET_PARAM_IN_EXPR: bucket.u'],
    ],
    ['SELECT * FROM t WHERE a IN bucket.u', byUser, ['BUCKET_PARAM_IN_RHS: bucket.u']],
    ['SELECT * FROM t WHERE NOT (a = bucket.u)', byUser, ['NEGATED_MATCH: NOT (a = bucket.u)']],
    ['SELECT * FROM t WHERE a = bucket.u OR b', byUser, ['OR_PARAM_SETS: a = bucket.u OR b']],
    ['SELECT * FROM t WHERE a = bucket.u', 'SELECT * FROM m', ['STAR_IN_PARAMS: *']],
    [
      'SELECT * FROM t WHERE a = bucket.u',
      'SELECT upper(x) AS u FROM m',
      ['ROW_EXPR_IN_PARAMS: upper(x)'],
    ],
    ['SELECT * FROM t WHERE a = bucket.u', 'SELECT x AS u FROM m AS n', ['ALIAS_IN_PARAMS: n']],
    [
      'SELECT * FROM t WHERE a = bucket.u',
      'SELECT x AS u FROM m WHERE y > request.user_id()',
      ['MIXED_EXPR: y > request.user_id()'],
    ],
    [
      'SELECT * FROM t WHERE a = bucket.u',
      'SELECT user_parameters.x AS u',
      ['DANGEROUS: user_parameters.x'],
    ],
    [
      'SELECT * FROM t WHERE a = bucket.u',
      'SELECT x AS u FROM m WHERE id = user_parameters.x AND o = token_parameters.user_id',
      [],
    ],
    [
      'SELECT * FROM t WHERE a = bucket.u',
      'SELECT request.user_id() AS u, 5 AS _priority',
      ['PRIORITY: 5'],
    ],
  ])('%s with %j has %j', (data, parameters, expected) => {
    expect(problems(definition(data, parameters))).toEqual(expected);
  });

  it('refuses parameter queries with different outputs', () => {
    const yaml = `bucket_definitions:
  d:
    parameters:
      - SELECT request.user_id() AS u
      - SELECT request.user_id() AS v
    data: []
`;
    expect(problems(yaml)).toEqual(['PARAM_SET_MISMATCH: SELECT request.user_id() AS v']);
  });
});

describe('streams', () => {
  it.each([
    ['SELECT id FROM t', []],
    ['SELECT name FROM t', ['ID_MISSING: name']],
    ['SELECT id, upper(a) FROM t', ['ALIAS_RECOMMENDED: upper(a)']],
    ['SELECT a AS b, * FROM t', ['STAR_OVERWRITES: *']],
    ['SELECT * FROM a, b WHERE a.x = b.x', ['AMBIGUOUS_COLUMN: *']],
    ['SELECT a.*, b.x FROM a, b WHERE a.x = b.x', ['MULTIPLE_OUTPUT_TABLES: b.x']],
    ['SELECT 1 AS id FROM t', ['NO_OUTPUT_TABLE: SELECT 1 AS id FROM t']],
    ['SELECT id FROM t, u', ['AMBIGUOUS_COLUMN: id']],
    ['SELECT id, auth.user_id() AS u FROM t', ['REQUEST_IN_OUTPUT: auth.user_id()']],
    ['SELECT t.* FROM t, t', ['DUPLICATE_NAME: t']],
    ['SELECT * FROM t WHERE a > auth.user_id()', ['MIXED_EXPR: a > auth.user_id()']],
    ['SELECT * FROM t WHERE a != auth.user_id()', ['NEGATED_MATCH: a != auth.user_id()']],
    ['SELECT * FROM t WHERE a = request.user_id()', ['UNKNOWN_FUNCTION: request.user_id']],
    ['SELECT * FROM t WHERE a = auth.userid()', ['UNKNOWN_FUNCTION: auth.userid']],
    [
      'SELECT * FROM t WHERE a NOT IN (SELECT b FROM u)',
      ['NEGATED_MATCH: a NOT IN (SELECT b FROM u)'],
    ],
    ['SELECT * FROM t WHERE a IN (SELECT b, c FROM u)', ['SUBQUERY_COLUMNS: c']],
    ['SELECT * FROM t WHERE a IN (SELECT * FROM u)', ['STAR_IN_SUBQUERY: *']],
    ['SELECT * FROM t WHERE a = subscription.parameter()', ['ARG_COUNT: subscription.parameter()']],
    [
      "SELECT * FROM t WHERE a = subscription.parameter('x')",
      ["DANGEROUS: subscription.parameter('x')"],
    ],
    ["SELECT * FROM t WHERE a = subscription.parameter('x') AND o = auth.user_id()", []],
    [
      "SELECT * FROM t WHERE a = subscription.parameter('x') AND a IN (SELECT b FROM u WHERE c = auth.user_id())",
      [],
    ],
    [
      "SELECT * FROM t WHERE a = subscription.parameter('x') AND auth.parameter('admin')",
      ["DANGEROUS: subscription.parameter('x')"],
    ],
    ['SELECT id, t.table_suffix() AS s FROM t', ['SUFFIX_WITHOUT_WILDCARD: t.table_suffix()']],
    ['SELECT x.* FROM t x JOIN u ON x.a = u.a', ['ALIAS_RENAMES_OUTPUT: x']],
    ['SELECT "x".* FROM t "x" JOIN u ON x.a = u.a', []],
  ])('%s has %j', (sql, expected) => {
    expect(problems(stream(sql))).toEqual(expected);
  });

  it('warns about CTEs that nobody uses and checks them all the same', () => {
    const yaml = `config: { edition: 3 }
with: { a: SELECT uper(x) AS y FROM t }
streams: {}
`;
    expect(problems(yaml)).toEqual(['UNUSED_CTE: a', 'UNKNOWN_FUNCTION: uper']);
  });

  it('refuses a condition with too many alternatives', () => {
    const links = (n: number) =>
      Array.from({ length: n }, (_, i) => `(a${i} = auth.user_id() OR b${i} = auth.user_id())`);
    expect(problems(stream(`SELECT * FROM t WHERE ${links(6).join(' AND ')}`))).toEqual([]);
    const [problem] = problems(stream(`SELECT * FROM t WHERE ${links(7).join(' AND ')}`));
    expect(problem).toMatch(/^TOO_MANY_TERMS/);
  });
});

describe('with a source schema', () => {
  const column = (name: string) => ({ name, sqliteType: 'text' as const, sourceType: 'text' });
  const schema = [
    { schema: 'public', name: 'todos', columns: ['id', 'title'].map(column) },
    { schema: 'public', name: 'plain', columns: ['a'].map(column) },
  ];

  it('warns about tables and columns that do not exist, and offers near names', () => {
    const yaml = stream('SELECT id, titel FROM todos');
    expect(problems(yaml, schema)).toEqual(['COLUMN_NOT_FOUND: titel']);
    expect(compile(yaml, schema).diagnostics[0]?.fix).toBe('Did you mean title?');
    expect(problems(stream('SELECT * FROM todo'), schema)).toEqual(['TABLE_NOT_FOUND: todo']);
    expect(compile(yaml, schema).plan).toBeDefined();
  });

  it('warns when * has no id', () => {
    expect(problems(definition('SELECT * FROM plain'), schema)).toEqual(['ID_MISSING: *']);
  });
});

describe('places in the file', () => {
  it.each([
    ['plain', 'SELECT id, uper(a) AS b FROM t'],
    ['plain over lines', 'SELECT id,\n     uper(a) AS b\n\n     FROM t'],
    ['single', "'SELECT id, ''x'' AS c, uper(a) AS b FROM t'"],
    ['double', '"SELECT id, \\"x\\" AS c,\\n \\u0061 AS d, \\\n      uper(a) AS b FROM t"'],
    ['literal', '|\n      SELECT id,\n        uper(a) AS b FROM t'],
    ['folded', '>-\n      SELECT id,\n      uper(a) AS b\n        FROM t'],
    ['folded with comment', '> # note uper\n      SELECT id,\n\n      uper(a) AS b FROM t'],
  ])('are exact in a %s scalar', (_, sql) => {
    const yaml = `config: { edition: 3 }\nstreams:\n  s:\n    query: ${sql}\n`;
    const [found] = compile(yaml).diagnostics.filter(({ code }) => code === 'UNKNOWN_FUNCTION');
    expect(found && yaml.slice(found.start, found.end)).toBe('uper');
    expect(found?.start).toBe(yaml.indexOf('uper(a'));
  });

  it('are printed with the source line, an underline and the fix', () => {
    const yaml = stream('SELECT id, uper(a) AS b FROM t');
    const [found] = compile(yaml).diagnostics;
    expect(found && formatDiagnostic(yaml, found, 'sync.yaml')).toBe(
      [
        'sync.yaml:6:18: error UNKNOWN_FUNCTION: There is no function uper',
        '        SELECT id, uper(a) AS b FROM t',
        '                   ^^^^',
        'fix: Did you mean upper?',
      ].join('\n'),
    );
  });

  it('are given for all problems at once', () => {
    const yaml = stream('SELECT id, uper(a) AS b, x.c FROM t WHERE lover(a) = 1');
    expect(problems(yaml)).toEqual([
      'UNKNOWN_FUNCTION: uper',
      'UNKNOWN_TABLE: x',
      'UNKNOWN_FUNCTION: lover',
    ]);
  });
});
