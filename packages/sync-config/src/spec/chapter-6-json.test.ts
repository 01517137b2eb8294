import { describe, expect, it } from 'vitest';
import { bucketNames, evaluate, planOf, valueOf } from '../testing/check.ts';

// spec/sync-config.md 6: JSON access, with fixed_json_extract on and off.

const J = {
  'a.b': 'dotted',
  a: { b: 'walked', 'c.d': 1 },
  t: true,
  f: false,
  n: null,
  s: 'txt',
  l: [10, { q: 1 }],
};
// Spelled by hand where the spelling counts.
const TEXT = `${JSON.stringify(J).slice(0, -1)}, "i": 9007199254740993, "r": 2.0, "e": 1e2, "h": 123456789012345678901,
  "o": { "i": 1, "r": 1.0, "e": 1E+2, "big": 9007199254740993, "s": "x\\u00e9" }, "k": [ 1, 2.50, [ ] ] }`;
const ROW = { id: 'x', j: TEXT, num: 5n, n: null, bad: '{', blob: new Uint8Array([1]) };

function of(expression: string, fixed: boolean, edition: 2 | 3 = 3): string {
  const config = `config: { edition: ${edition}, fixed_json_extract: ${fixed} }`;
  return valueOf(
    `${config}\nstreams:\n  s:\n    query: |\n      SELECT id, ${expression} AS r FROM t\n`,
    ROW,
  );
}

describe('paths and JSON null', () => {
  it.each([
    // expression               off               on
    ["j ->> 'a.b'", '"walked"', '"dotted"'],
    ["j ->> 'a.c.d'", 'null', 'null'],
    ["j ->> '$.a.b'", '"walked"', '"walked"'],
    ["j -> 'a' ->> '$.b'", '"walked"', '"walked"'],
    ["json_extract(j, '$.a.b')", '"walked"', '"walked"'],
    ["j ->> 'n'", '"null"', 'null'],
    ["json_extract(j, '$.n')", '"null"', 'null'],
    ["j -> 'n'", 'null', '"null"'],
    ["j ->> 'missing'", 'null', 'null'],
    ["j -> 'missing'", 'null', 'null'],
    ["json_extract(j, '$.a.missing.b')", 'null', 'null'],
  ])('%s is %s with the option off and %s with it on', (expression, off, on) => {
    expect(of(expression, false)).toBe(off);
    expect(of(expression, true)).toBe(on);
    expect(of(expression, false, 2)).toBe(off);
    expect(of(expression, true, 2)).toBe(on);
  });
});

describe('results', () => {
  it.each([
    ["j ->> 's'", '"txt"'],
    ["j -> 's'", '"\\"txt\\""'],
    ["j ->> 'i'", '9007199254740993'],
    ["j -> 'i'", '"9007199254740993"'],
    ["j ->> 'r'", '2.0'],
    ["j -> 'r'", '"2.0"'],
    ["j ->> 'e'", '100.0'],
    // Does not fit an INTEGER.
    ["j ->> 'h'", '123456789012345680000.0'],
    ["j -> 'h'", '"123456789012345678901"'],
    ["j ->> 't'", '1'],
    ["j ->> 'f'", '0'],
    ["j -> 't'", '"true"'],
    ["j ->> 'o'", JSON.stringify('{"i":1,"r":1.0,"e":100.0,"big":9007199254740993,"s":"xé"}')],
    ["j ->> 'k'", '"[1,2.5,[]]"'],
    ["j ->> '$.l.0'", '10'],
    ["j ->> '$.l.1.q'", '1'],
    ["j -> 'l' ->> '0'", '10'],
    ["'{\"a\": [ 1 ]}' ->> '$'", JSON.stringify('{"a":[1]}')],
    ["j -> 'l' ->> 'x'", 'null'],
    ["j ->> '$.l[0]'", 'null'],
    ["j ->> '$.l.9'", 'null'],
    ["'5' ->> 'a'", 'null'],
    ["num ->> 'a'", 'null'],
    ["n ->> 'a'", 'null'],
    ["n -> 'a'", 'null'],
    ["bad ->> 'a'", 'error: A text that should be JSON is not'],
    ["'' ->> 'a'", 'error: A text that should be JSON is not'],
    ["'01' ->> 'a'", 'error: A text that should be JSON is not'],
    ["blob ->> 'a'", 'error: A BLOB is not JSON'],
  ])('%s is %s', (expression, expected) => {
    expect(of(expression, true)).toBe(expected);
    expect(of(expression, true, 2)).toBe(expected);
  });

  it.each([
    ["j -> 'l' ->> 0", '10'],
    ["j -> 'l' -> 1 ->> 'q'", '1'],
    ["j -> 'l' ->> -1", 'null'],
    ["j -> 'l' ->> 2", 'null'],
    ["j -> 'a' ->> 0", 'null'],
  ])('%s is %s in edition 3', (expression, expected) => {
    expect(of(expression, true)).toBe(expected);
  });
});

describe('elements and claims come from a plain parse', () => {
  it('in which nested integers print as REAL, and scalars key like integers', async () => {
    const yaml = `config: { edition: 2 }
bucket_definitions:
  d:
    parameters: SELECT value AS v, key AS k FROM json_each(request.jwt() ->> 'list')
    data: [SELECT * FROM t WHERE a = bucket.v AND b = bucket.k]
`;
    const claims = { sub: 'u', list: [7, 7.5, 'x', true, null, { a: 1 }, [2]] };
    expect(await bucketNames(planOf(yaml), { claims })).toEqual(
      ['7,0', '7.5,1', '"x",2', '1,3', 'null,4', '"{\\"a\\":1.0}",5', '"[2.0]",6']
        .map((values) => `7#d[${values}]`)
        .toSorted(),
    );
  });

  it('of which the elements of a row are no exception', () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  s: { query: "SELECT t.* FROM t, json_each(t.l) e WHERE e.value = auth.parameter('x')" }
`);
    const [output] = evaluate(plan, 't', { id: 'x', l: '[1, 2.0, {"a":1}, false, null]' }).outputs;
    expect(output?.buckets).toEqual(
      ['1', '2', '"{\\"a\\":1.0}"', '0'].map((value) => `7#s|0[${value}]`),
    );
  });
});
