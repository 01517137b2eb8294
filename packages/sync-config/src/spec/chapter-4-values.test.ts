import type { SqliteValue } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { queryIn, valueOf, type Language } from '../testing/check.ts';

// spec/sync-config.md 4: what operators and casts give, and where the languages differ.

const ROW = {
  id: 'x',
  a: 5n,
  n: null,
  t: '5',
  r: 5,
  half: 0.25,
  big: 9007199254740993n,
  blob: new Uint8Array([195, 169]),
  arr: '[1,"a",true,null,[2],2.0]',
};

/** The value in a language, as clients get it. */
function of(language: Language, expression: string): string {
  return valueOf(queryIn(language, `SELECT id, ${expression} AS r FROM t`), ROW);
}

const EVERYWHERE: readonly Language[] = ['definitions', 'alpha', 'compiled'];
type Case = readonly [expression: string, expected: string];

/** Cases that hold in every language. */
function always(cases: readonly Case[]): void {
  it.each(cases)('%s is %s', (expression, expected) => {
    const found = EVERYWHERE.map((language) => of(language, expression));
    expect(found).toEqual(EVERYWHERE.map(() => expected));
  });
}

/** Cases of edition 3. */
function compiled(cases: readonly Case[]): void {
  it.each(cases)('%s is %s in edition 3', (expression, expected) => {
    expect(of('compiled', expression)).toBe(expected);
  });
}

describe('value types (4.1)', () => {
  always([
    ['NULL', 'null'],
    ['9007199254740993', '9007199254740993'],
    ['big + 1', '9007199254740994'],
    ['1.5', '1.5'],
    ['2.0', '2.0'],
    ["length('\u{1F600}')", '2'],
    ["'\uFFFF' < '\u{1F600}'", '0'],
    ['blob', 'nothing'],
    ['typeof(1 = 1)', '"integer"'],
    ['typeof(TRUE)', '"integer"'],
  ]);
});

describe('truth (4.2)', () => {
  always([
    ['iif(NULL, 1, 0)', '0'],
    ['iif(blob, 1, 0)', '0'],
    ['iif(0, 1, 0)', '0'],
    ['iif(2, 1, 0)', '1'],
    ['iif(0.0, 1, 0)', '0'],
    ['iif(0.25, 1, 0)', '1'],
    ["iif('12 pcs', 1, 0)", '1'],
    ["iif(' 8', 1, 0)", '1'],
    ["iif('-6', 1, 0)", '1'],
    ["iif('+6', 1, 0)", '1'],
    ["iif('', 1, 0)", '0'],
    ["iif('yes', 1, 0)", '0'],
    ["iif('0.7', 1, 0)", '0'],
    ["iif('true', 1, 0)", '0'],
  ]);
});

describe('comparison (4.3)', () => {
  always([
    ['1 = 1.0', '1'],
    ['a = r', '1'],
    ['big = 9007199254740992.0', '0'],
    ["1 = '1'", '0'],
    ['t = 5', '0'],
    ["'a' = 'A'", '0'],
    ['n = n', 'null'],
    ['n < 1', 'null'],
    ['1 >= n', 'null'],
    ["2 < 'a'", '1'],
    ["'a' < blob", '1'],
    ['5 < blob', '1'],
    ['a = blob', '0'],
    ['1 < 1.5', '1'],
    ['2 > 1.5', '1'],
    ['2 <= 2.0', '1'],
    ["'10' < '9'", '1'],
    ["'Z' < 'a'", '1'],
    ['blob = blob', 'error: Two BLOBs cannot be compared'],
    ['blob < blob', 'error: Two BLOBs cannot be compared'],
    ['a != 5', '0'],
    ["a <> '5'", '1'],
    ['n IS NULL', '1'],
    ['a IS NULL', '0'],
    ['n IS NOT NULL', '0'],
    ['a ISNULL', '0'],
    ['a NOTNULL', '1'],
  ]);

  it.each(['a != n', 'n <> n', 'n != 1'])('%s is NULL, but 1 in edition 3', (expression) => {
    expect(EVERYWHERE.map((language) => of(language, expression))).toEqual(['null', 'null', '1']);
  });

  compiled([
    ['1 IS TRUE', '1'],
    ['5 IS TRUE', '0'],
    ['1.0 IS TRUE', '0'],
    ["'1' IS TRUE", '0'],
    ['n IS TRUE', '0'],
    ['n IS NOT TRUE', '1'],
    ['0 IS FALSE', '1'],
    ['n IS FALSE', '0'],
    ['n IS NOT FALSE', '1'],
    ['(1 = 1) IS TRUE', '1'],
    ['a BETWEEN 1 AND 5', '1'],
    ['a BETWEEN 6 AND 9', '0'],
    ["a BETWEEN 1 AND 'z'", '1'],
    ['n BETWEEN 1 AND 5', 'null'],
    ['a BETWEEN n AND 5', 'null'],
    ['a BETWEEN 6 AND n', 'null'],
    ['a NOT BETWEEN 6 AND 9', '1'],
    ['n NOT BETWEEN 1 AND 5', '1'],
  ]);
});

describe('logic is two-valued (4.3)', () => {
  always([
    ['n AND 1', '0'],
    ['1 AND n', '0'],
    ['n OR 0', '0'],
    ['n OR 1', '1'],
    ["'2 x' AND 0.5", '1'],
    ["'x' OR ''", '0'],
    ['NOT n', '1'],
    ['NOT 0', '1'],
    ['NOT 5', '0'],
    ["NOT 'x'", '1'],
    ['NOT blob', '1'],
  ]);
});

describe('arithmetic (4.3)', () => {
  always([
    ['1 + 2', '3'],
    ['1 - 2', '-1'],
    ['2 * 3', '6'],
    ['1 + 2.0', '3.0'],
    ['n + 1', 'null'],
    ['1 * n', 'null'],
    ["'3 apples' + 1", '4'],
    ["'1.5' + 1", '2.5'],
    ["' 7' + 1", '8'],
    ["'x' + 1", '1'],
    ["'-2' * 3", '-6'],
    ['7 / 2', '3'],
    ['-7 / 2', '-3'],
    ['7 / 2.0', '3.5'],
    ["'7' / '2'", '3'],
    ['7 / 0', 'null'],
    ['7 / 0.0', 'null'],
    ["7 / 'x'", 'null'],
    ['n / 1', 'null'],
    // Undefined in the spec; never an INTEGER of more than 64 bits.
    ['9223372036854775807 + 1', '9223372036854776000.0'],
  ]);
});

describe('|| (4.3)', () => {
  always([
    ["'a' || 'b'", '"ab"'],
    ["n || 'b'", 'null'],
    ["'b' || n", 'null'],
    ["3 || ''", '"3"'],
    ["3.0 || ''", '"3"'],
    ["3.25 || ''", '"3.25"'],
    ["1000000000000000000000.0 || ''", '"1e+21"'],
    ["big || ''", '"9007199254740993"'],
    ["(1 = 1) || ''", '"1"'],
  ]);
});

describe('IN as a value (4.3)', () => {
  it.each<Case>([
    ['1 IN arr', '1'],
    ['1.0 IN arr', '1'],
    ["'a' IN arr", '1'],
    ["'1' IN arr", '0'],
    ['2 IN arr', '1'],
    ['3 IN arr', '0'],
    ["'null' IN arr", '0'],
    ["0 IN '[false]'", '1'],
    ['n IN arr', 'null'],
    ['1 IN n', 'null'],
    ["9007199254740993 IN '[9007199254740993]'", '1'],
    ["1 IN 'x'", 'error: A text that should be JSON is not'],
    ["1 IN '{}'", 'error: The right side of IN is not a JSON array'],
    ["1 IN '1'", 'error: The right side of IN is not a JSON array'],
  ])('%s is %s in editions 1 and 2', (expression, expected) => {
    expect(of('definitions', expression)).toBe(expected);
    expect(of('alpha', expression)).toBe(expected);
  });

  compiled([
    ['a IN ARRAY[1, 5]', '1'],
    ['a IN ROW(1, 5.0)', '1'],
    ["a IN ARRAY['5']", '0'],
    ['a IN ARRAY[]', '0'],
    ['a IN ARRAY[n]', '0'],
    ['n IN ARRAY[1]', 'null'],
    ['a NOT IN ARRAY[1]', '1'],
    ['a NOT IN ARRAY[5]', '0'],
    ['n NOT IN ARRAY[1]', '1'],
    ["a NOT IN '[1]'", '1'],
    ["a NOT IN '[5.0]'", '0'],
    ["n NOT IN '[1]'", '1'],
    ["a NOT IN 'x'", 'error: A text that should be JSON is not'],
  ]);
});

describe('CASE (4.3)', () => {
  compiled([
    ["CASE WHEN n THEN 'a' WHEN a THEN 'b' END", '"b"'],
    ["CASE WHEN 'x' THEN 1 ELSE 2 END", '2'],
    ['CASE WHEN 0 THEN 1 END', 'null'],
    ["CASE a WHEN '5' THEN 'text' WHEN 5.0 THEN 'number' END", '"number"'],
    ['CASE n WHEN NULL THEN 1 ELSE 2 END', '2'],
    ['CASE a WHEN NULL THEN 1 ELSE 2 END', '2'],
  ]);
});

describe('casts (4.4)', () => {
  /** Rows of the table: from a value to its five casts. */
  const TABLE: readonly (readonly [SqliteValue, string, string, string, string, string])[] = [
    // from            text         integer  real       numeric  blob, as hex
    ['8.6', '"8.6"', '8', '8.6', '8.6', '"382E36"'],
    ['8', '"8"', '8', '8.0', '8', '"38"'],
    [' 8 pcs', '" 8 pcs"', '8', '8.0', '8', '"203820706373"'],
    ['-3.5x', '"-3.5x"', '-3', '-3.5', '-3.5', '"2D332E3578"'],
    ['x', '"x"', '0', '0.0', '0', '"78"'],
    ['', '""', '0', '0.0', '0', '""'],
    [7n, '"7"', '7', '7.0', '7', '"37"'],
    [
      9007199254740993n,
      '"9007199254740993"',
      '9007199254740993',
      '9007199254740992.0',
      '9007199254740993',
      '"39303037313939323534373430393933"',
    ],
    [1.75, '"1.75"', '1', '1.75', '1.75', '"312E3735"'],
    [-1.2, '"-1.2"', '-2', '-1.2', '-1.2', '"2D312E32"'],
    [3, '"3"', '3', '3.0', '3.0', '"33"'],
    [1e300, '"1e+300"', '9223372036854775807', '1e+300', '1e+300', '"31652B333030"'],
    [new Uint8Array([53, 46, 53]), '"5.5"', '5', '5.5', '5.5', '"352E35"'],
    [null, 'null', 'null', 'null', 'null', '""'],
  ];

  it.each(TABLE)('%s', (value, ...expected) => {
    const types = ['text', 'integer', 'real', 'numeric'];
    const expressions = [...types.map((type) => `v::${type}`), 'hex(CAST(v AS blob))'];
    for (const language of EVERYWHERE) {
      const found = expressions.map((expression) =>
        valueOf(queryIn(language, `SELECT id, ${expression} AS r FROM t`), { id: 'x', v: value }),
      );
      expect(found).toEqual(expected);
    }
  });

  always([
    ['CAST(blob AS text)', '"é"'],
    ["CAST('a' AS blob)", 'nothing'],
    ['typeof(CAST(n AS blob))', '"null"'],
    ["CAST('7' AS INTEGER)", '7'],
  ]);
});
