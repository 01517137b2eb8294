import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  codesIn,
  definition,
  evaluate,
  planOf,
  queryIn,
  type Language,
  type Row,
} from '../testing/check.ts';

// spec/sync-config.md 22: the table of differences, cell by cell. Bucket definitions stand in edition 1.

const LANGUAGES: readonly Language[] = ['definitions', 'alpha', 'compiled'];

/** What each language makes of a row, in the order of LANGUAGES. */
const dataOf = (query: string, row: Row) =>
  LANGUAGES.map(
    (language) => evaluate(planOf(queryIn(language, query)), 't', row).outputs[0]?.data,
  );
const codesOf = (query: string) => LANGUAGES.map((language) => codesIn(language, query));

/** The buckets of a request that compares a column with a value of the token. */
const bucketsOf = (value: string, options: string, claims: object) =>
  Promise.all([
    bucketNames(
      planOf(
        definition(
          'SELECT * FROM t WHERE a = bucket.p',
          `SELECT request.jwt() ->> '${value}' AS p`,
        ).replace('edition: 1', `edition: 1, ${options}`),
      ),
      { claims: { sub: 'u', ...claims } },
    ),
    ...(['alpha', 'compiled'] as const).map((language) => {
      const yaml = queryIn(language, `SELECT * FROM t WHERE a = auth.parameters() ->> '${value}'`);
      const edition = language === 'alpha' ? 2 : 3;
      const config = yaml.replace(`edition: ${edition}`, `edition: ${edition}, ${options}`);
      return bucketNames(planOf(config), { claims: { sub: 'u', ...claims } });
    }),
  ]);

describe('differences between the languages', () => {
  it('* and columns that begin with _', () => {
    expect(dataOf('SELECT * FROM t', { id: 'x', _p: 1n })).toEqual([
      '{"id":"x"}',
      '{"id":"x"}',
      '{"id":"x","_p":1}',
    ]);
  });

  it('!= with NULL', () => {
    const kept = '{"id":"x"}';
    expect(dataOf("SELECT id FROM t WHERE a != 'b'", { id: 'x', a: null })).toEqual([
      undefined,
      undefined,
      kept,
    ]);
  });

  it('a missing request value', async () => {
    expect(await bucketsOf('missing', 'fixed_json_extract: true', {})).toEqual([
      ['7#d[null]'],
      ['7#s|0[null]'],
      [],
    ]);
  });

  it('* after an alias', () => {
    const both = { id: 'x', a: 'A', b: 'B' };
    expect(dataOf('SELECT a AS b, * FROM t', both)).toEqual([
      '{"b":"A","id":"x","a":"A"}',
      '{"b":"A","id":"x","a":"A"}',
      '{"b":"B","id":"x","a":"A"}',
    ]);
    expect(dataOf('SELECT a AS b, * FROM t', { ...both, a: null })).toEqual([
      '{"b":"B","id":"x","a":null}',
      '{"b":"B","id":"x","a":null}',
      '{"b":"B","id":"x","a":null}',
    ]);
  });

  it('a missing id, about which edition 3 warns here', () => {
    expect(codesOf('SELECT a FROM t')).toEqual([['ID_REQUIRED'], ['ID_REQUIRED'], ['ID_MISSING']]);
  });

  it('capital letters without quotes', () => {
    expect(codesOf('SELECT id, displayName FROM t')).toEqual([
      ['UNQUOTED_UPPERCASE'],
      ['UNQUOTED_UPPERCASE'],
      [],
    ]);
  });

  it('dotted claim keys', async () => {
    const claims = { 'a.b': 'literal', a: { b: 'walked' } };
    expect(await bucketsOf('a.b', 'fixed_json_extract: false', claims)).toEqual([
      ['7#d["walked"]'],
      ['7#s|0["walked"]'],
      ['7#s|0["walked"]'],
    ]);
    expect(await bucketsOf('a.b', 'fixed_json_extract: true', claims)).toEqual([
      ['7#d["literal"]'],
      ['7#s|0["literal"]'],
      ['7#s|0["literal"]'],
    ]);
  });

  it('a claim that is JSON null', async () => {
    expect(await bucketsOf('a', 'fixed_json_extract: false', { a: null })).toEqual([
      ['7#d["null"]'],
      ['7#s|0["null"]'],
      ['7#s|0["null"]'],
    ]);
    expect(await bucketsOf('a', 'fixed_json_extract: true', { a: null })).toEqual([
      ['7#d[null]'],
      ['7#s|0[null]'],
      [],
    ]);
  });

  it('what the recommended deviations refuse', () => {
    const everywhere = (code: string) => LANGUAGES.map(() => [code]);
    for (const operator of ['%', '&', '|', '<<', '>>']) {
      expect(codesOf(`SELECT id, a ${operator} 2 AS b FROM t`)).toEqual(
        everywhere('UNSUPPORTED_OPERATOR'),
      );
    }
    expect(codesOf('SELECT id, substring(a FROM 2) AS b FROM t')).toEqual(
      everywhere('UNSUPPORTED_OPERATOR'),
    );
  });
});
