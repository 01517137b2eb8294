import type { TableSchema } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { compile, definition, queryIn, stream } from '../testing/check.ts';

// spec/sync-config.md 16: every code, with its severity and the text that it points at.

const SCHEMA: readonly TableSchema[] = [
  ['t', 'id', 'a'],
  ['u', 'id', 'b'],
  ['bare', 'a'],
].map(([name = '', ...columns]) => ({
  schema: 'public',
  name,
  columns: columns.map((column) => ({ name: column, sqliteType: 'text', sourceType: 'text' })),
}));

interface Case {
  readonly yaml: string;
  /** The text that the diagnostic points at. */
  readonly at: string;
  readonly schema?: readonly TableSchema[];
}

const config = (options: string) => `config: { ${options} }\nbucket_definitions: {}`;
const data = (sql: string, at: string): Case => ({ yaml: definition(sql), at });
const compiled = (sql: string, at: string): Case => ({ yaml: stream(sql), at });
const alpha = (sql: string, at: string): Case => ({ yaml: queryIn('alpha', sql), at });
const parameters = (sql: string, at: string): Case => ({
  yaml: definition('SELECT * FROM t WHERE a = bucket.p', sql),
  at,
});
const matched = (where: string, at: string): Case => ({
  yaml: definition(
    `SELECT * FROM t WHERE ${where}`,
    'SELECT request.user_id() AS p, token_parameters.q AS q',
  ),
  at,
});
const known = (sql: string, at: string): Case => ({ yaml: stream(sql), at, schema: SCHEMA });
const terms = (count: number) =>
  Array.from({ length: count }, (_, i) => `a${i} = auth.user_id()`).join(' OR ');

/** `E` or `W` as in the spec, and at least one case. */
const CODES: Readonly<Record<string, readonly ['E' | 'W', ...Case[]]>> = {
  YAML_SYNTAX: [
    'E',
    { yaml: 'bucket_definitions: {}\nbucket_definitions: {}', at: 'bucket_definitions' },
  ],
  YAML_SCHEMA: [
    'E',
    { yaml: 'bucket_definitions: []', at: '[]' },
    { yaml: 'bucket_definitions: { a: { data: [], prio: 1 } }', at: 'prio' },
    { yaml: 'config: { edition: 3 }\nstreams: { a: {} }', at: 'a' },
  ],
  EDITION: [
    'E',
    { yaml: config('edition: 77'), at: '77' },
    { yaml: config('edition: 3'), at: 'bucket_definitions' },
    { yaml: 'streams: {}', at: 'streams' },
  ],
  EDITION_UPGRADE: ['W', { yaml: 'config: { edition: 2 }\nstreams: {}', at: 'streams' }],
  OPTION_VALUE: ['E', { yaml: config('fixed_json_extract: 1'), at: '1' }],
  OPTION_DEPENDENCY: ['E', { yaml: config('timestamp_max_precision: seconds'), at: 'seconds' }],
  'STORAGE_VERSION/unsupported': ['E', { yaml: config('storage_version: 1'), at: '1' }],
  'STORAGE_VERSION/unstable': ['W', { yaml: config('storage_version: 3'), at: '3' }],
  DUPLICATE_NAME: [
    'E',
    {
      yaml: `config: { edition: 2 }\nbucket_definitions: { d: { data: [] } }\nstreams: { d: { query: SELECT * FROM t } }`,
      at: 'd',
    },
    compiled('SELECT "x".* FROM t "x", u "x"', '"x"'),
    compiled('SELECT x.id FROM (SELECT id, a AS id FROM t) x', 'a AS id'),
    {
      yaml: 'bucket_definitions: {}\nevent_definitions: { e: { payloads: [SELECT a FROM t, SELECT b FROM t] } }',
      at: 't',
    },
  ],
  PRIORITY: [
    'E',
    { yaml: 'bucket_definitions: { a: { data: [], priority: 4 } }', at: '4' },
    parameters('SELECT request.user_id() AS p, 9 AS _priority', '9'),
    {
      yaml: `bucket_definitions: { a: { data: [], priority: 1, parameters: 'SELECT 1 AS p, 2 AS _priority' } }`,
      at: 'SELECT 1 AS p, 2 AS _priority',
    },
  ],
  SQL_SYNTAX: ['E', data('SELECT id FROM t WHERE a = = b', '=')],
  NOT_A_SELECT: ['E', data('UPDATE t SET a = 1', 'UPDATE')],
  UNSUPPORTED_CLAUSE: ['E', compiled('SELECT * FROM t ORDER BY a', 'ORDER')],
  UNSUPPORTED_OPERATOR: ['E', compiled('SELECT * FROM t WHERE a % 2', '%')],
  UNKNOWN_FUNCTION: ['E', compiled('SELECT id, nope(a) AS b FROM t', 'nope')],
  ARG_COUNT: ['E', compiled('SELECT id, upper(a, b) AS b FROM t', 'upper(a, b)')],
  CAST_TYPE: ['E', compiled('SELECT id, a::json AS b FROM t', 'json')],
  UNKNOWN_TABLE: ['E', compiled('SELECT t.id, z.a FROM t', 'z'), data('SELECT z.id FROM t', 'z')],
  AMBIGUOUS_COLUMN: ['E', compiled('SELECT t.id, a FROM t, u', 'a')],
  ALIAS_REQUIRED: ['E', data('SELECT id, upper(a) FROM t', 'upper(a)')],
  ALIAS_RECOMMENDED: ['W', compiled('SELECT id, upper(a) FROM t', 'upper(a)')],
  ID_REQUIRED: ['E', data('SELECT a FROM t', 'a'), alpha('SELECT a FROM t', 'a')],
  ID_MISSING: [
    'W',
    { yaml: definition('SELECT * FROM bare'), at: '*', schema: SCHEMA },
    known('SELECT * FROM bare', '*'),
    compiled('SELECT a FROM t', 'a'),
  ],
  PARAMS_NOT_COVERED: [
    'E',
    matched('a = bucket.p', 'SELECT * FROM t WHERE a = bucket.p'),
    data('SELECT * FROM t WHERE a = bucket.x', 'bucket.x'),
  ],
  PARAM_SET_MISMATCH: [
    'E',
    {
      yaml: 'bucket_definitions: { d: { data: [], parameters: [SELECT 1 AS a, SELECT 1 AS b] } }',
      at: 'SELECT 1 AS b',
    },
  ],
  STAR_IN_PARAMS: ['E', parameters('SELECT * FROM m', '*')],
  ALIAS_IN_PARAMS: ['E', parameters('SELECT p FROM m AS n', 'n')],
  ROW_EXPR_IN_PARAMS: ['E', parameters('SELECT upper(x) AS p FROM m', 'upper(x)')],
  BUCKET_PARAM_IN_EXPR: [
    'E',
    matched('a = bucket.p AND b > bucket.q', 'b > bucket.q'),
    {
      yaml: 'bucket_definitions: {}\nevent_definitions: { e: { payloads: [SELECT a FROM t WHERE b = bucket.x] } }',
      at: 'b = bucket.x',
    },
  ],
  BUCKET_PARAM_IN_RHS: ['E', matched('a = bucket.p AND b IN bucket.q', 'bucket.q')],
  MULTIPLE_EXPANSIONS: [
    'E',
    matched('bucket.p IN a AND bucket.q IN b', 'bucket.p IN a AND bucket.q IN b'),
  ],
  OR_PARAM_SETS: ['E', matched('a = bucket.p OR b = bucket.q', 'a = bucket.p OR b = bucket.q')],
  NEGATED_MATCH: [
    'E',
    matched('a = bucket.p AND NOT (b = bucket.q)', 'NOT (b = bucket.q)'),
    compiled('SELECT * FROM t WHERE a NOT IN (SELECT b FROM u)', 'a NOT IN (SELECT b FROM u)'),
  ],
  REQUEST_IN_DATA: [
    'E',
    data('SELECT * FROM t WHERE a = request.user_id()', 'request.user_id()'),
    {
      yaml: 'bucket_definitions: {}\nevent_definitions: { e: { payloads: [SELECT token_parameters.a FROM t] } }',
      at: 'token_parameters.a',
    },
  ],
  REQUEST_IN_OUTPUT: ['E', compiled('SELECT id, auth.user_id() AS u FROM t', 'auth.user_id()')],
  MIXED_EXPR: [
    'E',
    compiled('SELECT * FROM t WHERE a < auth.user_id()', 'a < auth.user_id()'),
    parameters('SELECT p FROM m WHERE a < request.user_id()', 'a < request.user_id()'),
  ],
  MULTIPLE_OUTPUT_TABLES: ['E', compiled('SELECT t.id, u.a FROM t, u WHERE t.b = u.b', 'u.a')],
  NO_OUTPUT_TABLE: [
    'E',
    compiled("SELECT 'x' AS id FROM t", "SELECT 'x' AS id FROM t"),
    data('SELECT 1 AS id', 'SELECT 1 AS id'),
  ],
  SUBQUERY_COLUMNS: ['E', compiled('SELECT * FROM t WHERE a IN (SELECT b, c FROM u)', 'c')],
  SUBQUERY_NESTED: [
    'E',
    alpha(
      'SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE c = auth.user_id() AND d IN (SELECT e FROM v))',
      '(SELECT e FROM v)',
    ),
  ],
  SUBQUERY_NEEDS_PARAM: [
    'E',
    alpha('SELECT * FROM t WHERE a IN (SELECT b FROM u)', 'SELECT b FROM u'),
  ],
  SCALAR_SUBQUERY: ['E', compiled('SELECT * FROM t WHERE a = (SELECT 1)', '(SELECT 1)')],
  STAR_IN_SUBQUERY: ['E', compiled('SELECT * FROM t WHERE a IN (SELECT * FROM u)', '*')],
  TOO_MANY_TERMS: [
    'E',
    compiled(`SELECT * FROM t WHERE ${terms(101)}`, `SELECT * FROM t WHERE ${terms(101)}`),
  ],
  DANGEROUS: [
    'W',
    parameters('SELECT user_parameters.x AS p', 'SELECT user_parameters.x AS p'),
    compiled(
      "SELECT * FROM t WHERE a = connection.parameter('x')",
      "SELECT * FROM t WHERE a = connection.parameter('x')",
    ),
  ],
  STAR_OVERWRITES: ['W', compiled('SELECT a AS b, * FROM t', '*')],
  ALIAS_RENAMES_OUTPUT: ['W', compiled('SELECT x.* FROM t x JOIN u ON x.a = u.a', 'x')],
  UNUSED_CTE: [
    'W',
    { yaml: 'config: { edition: 3 }\nwith: { c: SELECT a FROM t }\nstreams: {}', at: 'c' },
  ],
  CTE_SHADOWS_TABLE: [
    'W',
    {
      yaml: 'config: { edition: 3 }\nwith: { u: SELECT b FROM u }\nstreams: { s: { query: SELECT * FROM t WHERE a IN u } }',
      at: 'u',
      schema: SCHEMA,
    },
  ],
  SUFFIX_WITHOUT_WILDCARD: [
    'W',
    compiled('SELECT id, t.table_suffix() AS s FROM t', 't.table_suffix()'),
  ],
  UNQUOTED_UPPERCASE: [
    'W',
    data('SELECT id, displayName FROM t', 'displayName'),
    data('SELECT id FROM Users', 'Users'),
    alpha('SELECT id, displayName FROM t', 'displayName'),
  ],
  TABLE_NOT_FOUND: ['W', known('SELECT * FROM nowhere', 'nowhere')],
  COLUMN_NOT_FOUND: ['W', known('SELECT id, b FROM t', 'b')],
  // Not in the spec's list: chapter 9 rule 6 and chapter 18 without a code of theirs.
  AUTO_SUBSCRIBE_PARAMS: [
    'W',
    alpha(
      "SELECT * FROM t WHERE a = subscription.parameter('x') AND b = auth.user_id()",
      "SELECT * FROM t WHERE a = subscription.parameter('x') AND b = auth.user_id()",
    ),
  ],
  EVENT_COLUMNS: [
    'W',
    {
      yaml: 'bucket_definitions: {}\nevent_definitions: { write_checkpoints: { payloads: [SELECT user_id FROM t] } }',
      at: 'SELECT user_id FROM t',
    },
  ],
  // Ours, of edition 4.
  LIST_OF_ONE: [
    'W',
    {
      yaml: stream("SELECT * FROM t WHERE a IN (auth.parameter('ids'))").replace(
        'edition: 3',
        'edition: 4',
      ),
      at: "(auth.parameter('ids'))",
    },
  ],
  JSON_ELEMENT: [
    'E',
    {
      yaml: stream(
        "SELECT t.* FROM t, json_each(t.a) AS e WHERE json_array(e.value) = '[1]'",
      ).replace('edition: 3', 'edition: 4'),
      at: 'e.value',
    },
  ],
};

const CASES = Object.entries(CODES).flatMap(([name, [severity, ...cases]]) =>
  cases.map((entry) => [name.replace(/\/.*/, ''), severity, entry] as const),
);

describe('diagnostics', () => {
  it.each(CASES)('%s is %s: %j', (code, severity, { yaml, at, schema }) => {
    const { diagnostics, plan } = compile(yaml, schema);
    const found = diagnostics.filter((diagnostic) => diagnostic.code === code);
    expect(found.map(({ start, end }) => yaml.slice(start, end))).toContain(at);
    expect(found[0]?.severity).toBe(severity === 'E' ? 'error' : 'warning');
    expect(found[0]?.message.length).toBeGreaterThan(10);
    const hasError = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
    expect(plan === undefined).toBe(hasError);
    if (severity === 'E') expect(hasError).toBe(true);
  });

  it('a warning alone does not keep a config from being deployed', () => {
    for (const [, severity, { yaml, schema }] of CASES) {
      if (severity === 'E') continue;
      const errors = compile(yaml, schema).diagnostics.filter((d) => d.severity === 'error');
      // Edition 2 asks for an id, whatever else a case is about.
      expect(errors).toEqual([]);
    }
  });

  it('no code is used that is not listed here', async () => {
    const { readdir, readFile } = await import('node:fs/promises');
    const root = new URL('..', import.meta.url);
    const files = await readdir(root, { recursive: true });
    const listed = new Set(Object.keys(CODES).map((name) => name.replace(/\/.*/, '')));
    for (const file of files) {
      if (!file.endsWith('.ts') || file.includes('.test.') || file.startsWith('testing')) continue;
      const text = await readFile(new URL(file, root), 'utf8');
      for (const [, code = ''] of text.matchAll(/\.(?:error|warn)\(\s*'([A-Z_]+)'/g)) {
        expect(listed, file).toContain(code);
      }
    }
  });
});
