import { describe, expect, it } from 'vitest';
import { definition, evaluate, planOf, stream } from '../testing/check.ts';

/** The JSON of an output expression over the row `{a, b, j, blob}`. */
function check(
  expression: string,
  expected: string,
  options: { row?: object; edition?: 1 | 2 | 3 } = {},
) {
  const { edition = 3 } = options;
  const query = `SELECT id, ${expression} AS r FROM t`;
  const plan = planOf(edition === 3 ? stream(query) : definition(query, undefined, edition));
  const row = {
    id: 'x',
    a: 5n,
    b: null,
    s: 'wxyz',
    j: '{"k":1,"n":null}',
    blob: new Uint8Array([1, 255]),
    ...options.row,
  };
  const { outputs, errors } = evaluate(plan, 't', row);
  const result = errors[0]
    ? `error: ${errors[0].message}`
    : (outputs[0]?.data.replace(/^\{"id":"x",?("r":)?/, '').slice(0, -1) ?? 'no row');
  expect(`${expression} = ${result}`).toBe(`${expression} = ${expected}`);
}

describe('operators (spec 4.2, 4.3)', () => {
  it.each([
    ['1 = 1.0', '1'],
    ["1 = '1'", '0'],
    ['b = 1', 'null'],
    ['a != b', '1'],
    ['a <> 5', '0'],
    ["2 < 'a'", '1'],
    ["'a' < blob", '1'],
    ['b < 1', 'null'],
    ['b OR 0', '0'],
    ['b AND 1', '0'],
    ['NOT b', '1'],
    ["NOT '12 pcs'", '0'],
    ["NOT '0.7'", '1'],
    ["NOT ''", '1'],
    ['NOT 0.25', '0'],
    ["NOT ' 8'", '0'],
    ["NOT '-6'", '0'],
    ['NOT blob', '1'],
    ['b IS NULL', '1'],
    ['b IS NOT NULL', '0'],
    ['5 IS TRUE', '0'],
    ['NULL IS NOT TRUE', '1'],
    ['1 + 2', '3'],
    ['1 + 2.0', '3.0'],
    ["'3 apples' + 1", '4'],
    ["'x' + 1", '1'],
    ["'1.5' + 1", '2.5'],
    ['b + 1', 'null'],
    ['7 / 2', '3'],
    ['-7 / 2', '-3'],
    ['7 / 0', 'null'],
    ['7 / 2.0', '3.5'],
    ["3.0 || ''", '"3"'],
    ["1000000000000000000000000.0 || ''", '"1e+24"'],
    ["b || 'x'", 'null'],
    ["1 + 2 || 'a'", '"3a"'],
    ["'a' || 1 + 2", '2'],
    ['9007199254740993', '9007199254740993'],
    ['a BETWEEN 1 AND 5', '1'],
    ['b BETWEEN 1 AND 5', 'null'],
    ['b NOT BETWEEN 1 AND 5', '1'],
    ['a IN ARRAY[1, 5]', '1'],
    ['b IN ARRAY[1]', 'null'],
    ["a NOT IN '[1,2]'", '1'],
    ["a NOT IN '[1,5.0]'", '0'],
    ['b NOT IN ARRAY[1]', '1'],
    ["CASE a WHEN 5 THEN 'five' ELSE 'other' END", '"five"'],
    ['CASE b WHEN NULL THEN 1 END', 'null'],
    ['CASE WHEN b THEN 1 WHEN a THEN 2 END', '2'],
    ['blob = blob', 'error: Two BLOBs cannot be compared'],
    ["a NOT IN 'x'", 'error: A text that should be JSON is not'],
  ])('%s is %s', (expression, expected) => check(expression, expected));

  it('gives NULL for != with NULL in bucket definitions', () => {
    check('a != b', 'null', { edition: 1 });
  });
});

describe('casts (spec 4.4)', () => {
  it.each([
    ["CAST('8.6' AS integer)", '8'],
    ["CAST('x' AS integer)", '0'],
    ['CAST(-1.2 AS integer)', '-2'],
    ["CAST('8.6abc' AS real)", '8.6'],
    ['CAST(5 AS real)', '5.0'],
    ["CAST('8' AS numeric)", '8'],
    ["CAST('8.5' AS numeric)", '8.5'],
    ['3.0::text', '"3"'],
    ['CAST(NULL AS text)', 'null'],
    ["hex(CAST('a' AS blob))", '"61"'],
    ["CAST('a' AS blob)", ''],
    ["CAST(CAST('é' AS blob) AS text)", '"é"'],
  ])('%s is %s', (expression, expected) => check(expression, expected));
});

describe('functions (spec 5)', () => {
  it.each([
    ["upper('straße')", '"STRASSE"'],
    ['lower(b)', 'null'],
    ['substring(s, 0, 3)', '"wx"'],
    ['substring(s, 2)', '"xyz"'],
    ['substring(s, 2, 2)', '"xy"'],
    ['substring(s, -2)', '"yz"'],
    ['substring(s, 3, -2)', '"wx"'],
    ['substring(s, 9)', '""'],
    ['substring(s, b)', 'null'],
    ['length(s)', '4'],
    ['length(blob)', '2'],
    ['length(123)', '3'],
    ['hex(blob)', '"01FF"'],
    ['hex(b)', '""'],
    ['base64(blob)', '"Af8="'],
    ['base64(b)', '""'],
    [
      "hex(uuid_blob('00112233-4455-6677-8899-aabbccddeeff'))",
      '"00112233445566778899AABBCCDDEEFF"',
    ],
    ["uuid_blob('x')", 'error: uuid_blob got a text that is not a UUID'],
    ['typeof(b)', '"null"'],
    ['typeof(a)', '"integer"'],
    ['typeof(1.0)', '"real"'],
    ['typeof(blob)', '"blob"'],
    ["ifnull(b, 'x')", '"x"'],
    ['iif(0, 1, 2)', '2'],
    ["instr(s, 'y')", '3'],
    ["instr(s, 'q')", '0'],
    ["instr(s, '')", '1'],
    ['instr(123, 2)', '2'],
    ["json_array_length('[1,2]')", '2'],
    ["json_array_length('{}')", '0'],
    ["json_array_length('{\"a\":[1]}', '$.a')", '1'],
    ["json_array_length('{}', '$.a')", 'null'],
    ['json_keys(\'{"b":1,"a":2,"1":3}\')', '"[\\"1\\",\\"b\\",\\"a\\"]"'],
    ["json_keys('[]')", 'error: json_keys got JSON that is not an object'],
  ])('%s is %s', (expression, expected) => check(expression, expected));

  it.each([
    ["unixepoch('2031-07-08')", '1941235200'],
    ["unixepoch('2031-07-08T09:10')", '1941268200'],
    ["unixepoch('2031-07-08 09:10:11.25Z')", '1941268211'],
    ["unixepoch('2031-07-08 09:10:11.25', 'subsec')", '1941268211.25'],
    ["unixepoch('2031-07-08 09:10:11+02:00')", '1941261011'],
    ["unixepoch('2031-07-08 09:10:11+02')", 'null'],
    ["unixepoch('now')", 'null'],
    ['unixepoch(b)', 'null'],
    ["unixepoch('2031-07-08', '+1 day')", 'null'],
    ["unixepoch('2031-13-08')", 'null'],
    ['unixepoch(2440587.5)', '0'],
    ["unixepoch('2440588.5')", '86400'],
    ["unixepoch(-1.5, 'unixepoch')", '-2'],
    ["datetime(0, 'unixepoch')", '"1970-01-01 00:00:00"'],
    ["datetime('1969-12-31T23:59:59.5', 'subsecond')", '"1969-12-31 23:59:59.500"'],
    ["datetime('0031-07-08')", '"0031-07-08 00:00:00"'],
  ])('%s is %s', (expression, expected) => check(expression, expected));

  it('offers json_valid in bucket definitions', () => {
    check("json_valid('{')", '0', { edition: 1 });
    check("json_valid('{}')", '1', { edition: 1 });
    check('json_valid(b)', '0', { edition: 1 });
  });
});

describe('JSON access (spec 6)', () => {
  const row = {
    j: '{"a.b":1,"a":{"b":9007199254740993},"r":2.0,"t":true,"n":null,"s":"x","l":[10, {"q":1.0}]}',
  };

  it.each([
    ["j ->> 'a.b'", '1'],
    ["j ->> '$.a.b'", '9007199254740993'],
    ["j ->> 'r'", '2.0'],
    ["j ->> 't'", '1'],
    ["j ->> 'n'", 'null'],
    ["j -> 'n'", '"null"'],
    ["j ->> 'zz'", 'null'],
    ["j -> 's'", '"\\"x\\""'],
    ["j ->> 's'", '"x"'],
    ["j ->> 'l'", '"[10,{\\"q\\":1.0}]"'],
    ["j -> 'l' ->> 0", '10'],
    ["j ->> '$.l.0'", '10'],
    ["j -> 'l' ->> '0'", '10'],
    ["j -> 'l' ->> -1", 'null'],
    ["j ->> '$.l[0]'", 'null'],
    ["j ->> 's' = 'x'", '1'],
    ["json_extract(j, '$.s')", '"x"'],
    ["json_extract(j, 's')", 'error: The path of json_extract does not begin with $'],
    ["5 ->> 'a'", 'null'],
    ["b ->> 'a'", 'null'],
    ["'{' ->> 'a'", 'error: A text that should be JSON is not'],
  ])('%s is %s with fixed_json_extract', (expression, expected) =>
    check(expression, expected, { row }),
  );

  it.each([
    ["j ->> 'a.b'", '9007199254740993'],
    ["j ->> '$.a.b'", '9007199254740993'],
    ["j ->> 'n'", '"null"'],
    ["j -> 'n'", 'null'],
  ])('%s is %s without it', (expression, expected) =>
    check(expression, expected, { row, edition: 1 }),
  );
});

describe('row JSON (spec 13.2)', () => {
  it.each([
    [5n, '5'],
    [5, '5.0'],
    [1e20, '100000000000000000000.0'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [Infinity, 'null'],
    [9223372036854775807n, '9223372036854775807'],
    ['a"\n', '"a\\"\\n"'],
    [null, 'null'],
  ])('writes %s as %s', (value, expected) => check('v', expected, { row: { v: value } }));

  it('leaves BLOBs out', () => check('blob', ''));
});
