import { describe, expect, it } from 'vitest';
import { codesIn, compile, queryIn, stream, valueOf, type Language } from '../testing/check.ts';

// spec/sync-config.md 5.

const ROW = {
  id: 'x',
  a: 5n,
  n: null,
  s: 'wxyz',
  r: 2.5,
  blob: new Uint8Array([1, 255, 1]),
  tail: new Uint8Array([255, 1]),
};
const LANGUAGES: readonly Language[] = ['definitions', 'alpha', 'compiled'];

function always(cases: readonly (readonly [expression: string, expected: string])[]): void {
  it.each(cases)('%s is %s', (expression, expected) => {
    for (const language of LANGUAGES) {
      const yaml = queryIn(language, `SELECT id, ${expression} AS r FROM t`);
      expect(valueOf(yaml, ROW)).toBe(expected);
    }
  });
}

describe('text functions', () => {
  always([
    ["upper('straße')", '"STRASSE"'],
    ["lower('ÄΣ')", '"äς"'],
    ['UPPER(s)', '"WXYZ"'],
    ['"upper"(s)', '"WXYZ"'],
    ['lower(n)', 'null'],
    ['upper(a)', '"5"'],
    ['substring(s, 2)', '"xyz"'],
    ['substring(s, 2, 2)', '"xy"'],
    ['substring(s, 1, 0)', '""'],
    ['substring(s, 0)', '"wxyz"'],
    ['substring(s, 0, 3)', '"wx"'],
    ['substring(s, -2)', '"yz"'],
    ['substring(s, -2, 1)', '"y"'],
    ['substring(s, -9, 6)', '"w"'],
    ['substring(s, 3, -2)', '"wx"'],
    ['substring(s, 2, -9)', '"w"'],
    ['substring(s, 9)', '""'],
    ['substring(s, 3, 99)', '"yz"'],
    ['substring(12345, 2, 3)', '"234"'],
    ['substring(n, 1)', 'null'],
    ['substring(s, n)', 'null'],
    ['substring(s, 1, n)', 'null'],
    ['length(s)', '4'],
    ['length(blob)', '3'],
    ['length(123)', '3'],
    ['length(r)', '3'],
    ['length(n)', 'null'],
    ['hex(blob)', '"01FF01"'],
    ["hex('é')", '"C3A9"'],
    ['hex(12)', '"3132"'],
    ['hex(n)', '""'],
    ['base64(blob)', '"Af8B"'],
    ["base64('a')", '"YQ=="'],
    ['base64(n)', '""'],
    [
      "hex(uuid_blob('00112233-4455-6677-8899-aAbBcCdDeEfF'))",
      '"00112233445566778899AABBCCDDEEFF"',
    ],
    ['uuid_blob(n)', 'null'],
    ["uuid_blob('x')", 'error: uuid_blob got a text that is not a UUID'],
    ["instr(s, 'y')", '3'],
    ["instr(s, 'q')", '0'],
    ["instr(s, '')", '1'],
    ['instr(123, 2)', '2'],
    ["instr(n, 'a')", 'null'],
    ['instr(s, n)', 'null'],
    ['instr(blob, tail)', '2'],
    ['instr(tail, blob)', '0'],
  ]);
});

describe('choices and types', () => {
  always([
    ['typeof(n)', '"null"'],
    ['typeof(a)', '"integer"'],
    ['typeof(r)', '"real"'],
    ['typeof(s)', '"text"'],
    ['typeof(blob)', '"blob"'],
    ["ifnull(n, 'x')", '"x"'],
    ['ifnull(0, 1)', '0'],
    ['ifnull(n, n, 7)', '7'],
    ['ifnull(n, n)', 'null'],
    ["iif('1x', 'yes', 'no')", '"yes"'],
    ["iif('x', 'yes', 'no')", '"no"'],
    ['iif(n, 1, 2)', '2'],
  ]);
});

describe('JSON functions', () => {
  always([
    ["json_extract('{\"a\":[1,2]}', '$.a')", '"[1,2]"'],
    ["json_extract('{\"a\":1}', '$')", '"{\\"a\\":1}"'],
    ["json_extract('{}', 'a')", 'error: The path of json_extract does not begin with $'],
    ["json_extract(n, '$.a')", 'null'],
    ["json_array_length('[1,[2,3]]')", '2'],
    ["json_array_length('[]')", '0'],
    ["json_array_length('{}')", '0'],
    ["json_array_length('1')", '0'],
    ["json_array_length('{\"a\":[1]}', '$.a')", '1'],
    ["json_array_length('{\"a\":1}', '$.a')", '0'],
    ["json_array_length('{}', '$.a')", 'null'],
    ['json_array_length(n)', 'null'],
    ["json_array_length('x')", 'error: A text that should be JSON is not'],
    ['json_keys(\'{"b":1,"a":2,"1":3}\')', '"[\\"1\\",\\"b\\",\\"a\\"]"'],
    ["json_keys('{}')", '"[]"'],
    ['json_keys(n)', 'null'],
    ["json_keys('[]')", 'error: json_keys got JSON that is not an object'],
    ["json_keys('1')", 'error: json_keys got JSON that is not an object'],
    ["json_keys('{')", 'error: A text that should be JSON is not'],
  ]);

  it.each([
    ["json_valid('{}')", '1'],
    ["json_valid('1')", '1'],
    ["json_valid('{')", '0'],
    ["json_valid('')", '0'],
    ['json_valid(n)', '0'],
  ])('%s is %s in editions 1 and 2 only', (expression, expected) => {
    const query = `SELECT id, ${expression} AS r FROM t`;
    expect(valueOf(queryIn('definitions', query), ROW)).toBe(expected);
    expect(valueOf(queryIn('alpha', query), ROW)).toBe(expected);
    expect(codesIn('compiled', query)).toEqual(['UNKNOWN_FUNCTION']);
  });
});

describe('dates', () => {
  always([
    ["unixepoch('2031-07-08')", '1941235200'],
    ["unixepoch('2031-07-08T09:10')", '1941268200'],
    ["unixepoch('2031-07-08 09:10')", '1941268200'],
    ["unixepoch('2031-07-08 09:10:11.25Z')", '1941268211'],
    ["unixepoch('2031-07-08 09:10:11.25', 'subsec')", '1941268211.25'],
    ["unixepoch('2031-07-08 09:10:11', 'subsecond')", '1941268211.0'],
    ["unixepoch('2031-07-08 09:10:11+02:00')", '1941261011'],
    ["unixepoch('2031-07-08 09:10:11-00:30')", '1941270011'],
    ["unixepoch('2031-07-08 09:10:11+02')", 'null'],
    ["unixepoch('now')", 'null'],
    ["unixepoch('')", 'null'],
    ["unixepoch('2031-13-08')", 'null'],
    ["unixepoch('2031-07-08 24:00')", 'null'],
    ["unixepoch('08.07.2031')", 'null'],
    ['unixepoch(n)', 'null'],
    ["unixepoch('2031-07-08', '+1 day')", 'null'],
    ["unixepoch('2031-07-08', n)", 'null'],
    ['unixepoch(2440587.5)', '0'],
    ["unixepoch('2440588.5')", '86400'],
    ["unixepoch(90, 'unixepoch')", '90'],
    ["unixepoch('90.75', 'unixepoch')", '90'],
    ["unixepoch(90.75, 'unixepoch', 'subsec')", '90.75'],
    ["unixepoch(-1.5, 'unixepoch')", '-2'],
    ["unixepoch('2031-07-08', 'unixepoch')", 'null'],
    ["unixepoch('1969-12-31 23:59:59.5')", '-1'],
    ["datetime('2031-07-08T09:10:11.999+02:00')", '"2031-07-08 07:10:11"'],
    ["datetime('2031-07-08T09:10:11.1239', 'subsec')", '"2031-07-08 09:10:11.123"'],
    ["datetime('2031-07-08', 'subsecond')", '"2031-07-08 00:00:00.000"'],
    ["datetime(0, 'unixepoch')", '"1970-01-01 00:00:00"'],
    ["datetime('0031-07-08')", '"0031-07-08 00:00:00"'],
    ["datetime('now')", 'null'],
    ['datetime(n)', 'null'],
  ]);
});

describe('row metadata', () => {
  const value = (expression: string, from = 't') =>
    valueOf(stream(`SELECT id, ${expression} AS r FROM ${from}`), ROW);

  it.each([
    ['t.schema()', 't', '"public"'],
    ['t.table_name()', 't', '"t"'],
    ['t.table_suffix()', 't', '""'],
    ['t.table_suffix()', '"%" t', '"t"'],
    ['x.table_name()', 'public.t AS x', '"t"'],
  ])('%s of %s is %s', (expression, from, expected) => {
    expect(value(expression, from)).toBe(expected);
  });

  it('is only there in edition 3, of a table in scope, without arguments', () => {
    expect(codesIn('alpha', 'SELECT id, t.schema() AS a FROM t')).toEqual(['UNKNOWN_FUNCTION']);
    expect(codesIn('definitions', 'SELECT id, t.schema() AS a FROM t')).toEqual([
      'UNKNOWN_FUNCTION',
    ]);
    expect(codesIn('compiled', 'SELECT id, u.schema() AS a FROM t')).toEqual(['UNKNOWN_FUNCTION']);
    expect(codesIn('compiled', 'SELECT id, schema() AS a FROM t')).toEqual(['UNKNOWN_FUNCTION']);
    expect(codesIn('compiled', 'SELECT id, t.schema(1) AS a FROM t')).toEqual(['ARG_COUNT']);
    expect(codesIn('compiled', 'SELECT id, t.table_suffix() AS a FROM t')).toEqual([
      'SUFFIX_WITHOUT_WILDCARD',
    ]);
  });

  it.each<[Language, string, string]>([
    ['definitions', 't', 'null'],
    ['definitions', '"%" AS t', '"t"'],
    ['alpha', 't', 'null'],
    ['alpha', '"%" AS t', '"t"'],
  ])('in %s, _table_suffix of %s is %s', (language, from, expected) => {
    expect(valueOf(queryIn(language, `SELECT id, _table_suffix AS r FROM ${from}`), ROW)).toBe(
      expected,
    );
  });
});

describe('what is refused', () => {
  it.each([
    ['nope(a)', 'UNKNOWN_FUNCTION'],
    ['random()', 'UNKNOWN_FUNCTION'],
    ['randomblob(4)', 'UNKNOWN_FUNCTION'],
    ['count(*)', 'UNKNOWN_FUNCTION'],
    ['substr(a, 1)', 'UNKNOWN_FUNCTION'],
    ['coalesce(a, 1)', 'UNKNOWN_FUNCTION'],
    ['upper(DISTINCT a)', 'UNSUPPORTED_CLAUSE'],
    ['upper(a ORDER BY a)', 'UNSUPPORTED_CLAUSE'],
    ['upper(a) FILTER (WHERE a)', 'UNSUPPORTED_CLAUSE'],
    ['upper(a) OVER (PARTITION BY a)', 'UNSUPPORTED_CLAUSE'],
    ['CAST(a AS money)', 'CAST_TYPE'],
    ['a::varchar', 'CAST_TYPE'],
  ])('%s has %s', (expression, code) => {
    for (const language of LANGUAGES) {
      expect(codesIn(language, `SELECT id, ${expression} AS r FROM t`)).toEqual([code]);
    }
  });

  /** Too few and too many arguments; the spec leaves both open in bucket definitions. */
  it.each([
    'upper()', 'upper(a, a)', 'lower()', 'substring(a)', 'substring(a, 1, 1, 1)', 'length()',
    'hex()', 'base64()', 'uuid_blob()', 'typeof()', 'ifnull(a)', 'iif(a, 1)', 'iif(a, 1, 1, 1)',
    'instr(a)', "json_extract('{}')", 'json_array_length()', "json_array_length('', '', '')",
    'json_keys()', 'unixepoch()', 'datetime()', 'st_x()', 'st_astext(a, a)',
  ])('%s has ARG_COUNT', (expression) => {
    for (const language of LANGUAGES) {
      expect(codesIn(language, `SELECT id, ${expression} AS r FROM t`)).toEqual(['ARG_COUNT']);
    }
  }); // prettier-ignore

  it('offers the name that is meant', () => {
    const fixOf = (name: string) =>
      compile(stream(`SELECT id, ${name}(a, 1) AS r FROM t`)).diagnostics[0]?.fix;
    expect(fixOf('substr')).toBe('Did you mean substring?');
    expect(fixOf('json_extrat')).toBe('Did you mean json_extract?');
  });
});
