import type { SqliteValue } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { LONG_TEST_MS, expectNoDifference, type Comparison } from '../../../testing/differences.ts';
import { randomJson, randomPath, randomStep } from '../../../testing/random-json.ts';
import { apply, describeValue, SqliteOracle } from '../../../testing/sqlite-oracle.ts';
import { createSqliteJsonFunctions } from './json-functions.ts';
import { createSqliteJsonOperators } from './json-operators.ts';

const oracle = new SqliteOracle();
const functions = createSqliteJsonFunctions();
const operators = createSqliteJsonOperators();

/** What a function or operator gives here and in SQLite. */
function compare(name: string, ...args: readonly SqliteValue[]): Comparison {
  const isOperator = name.startsWith('->');
  const sql = isOperator ? `? ${name} ?` : `${name}(${args.map(() => '?').join(', ')})`;
  return {
    call: `${name}(${args.map(describeValue).join(', ')})`,
    ours: apply((isOperator ? operators : functions).get(name), args),
    sqlite: oracle.scalar(sql, args),
  };
}

function check(expected: string, name: string, ...args: readonly SqliteValue[]): void {
  const { call, ours, sqlite } = compare(name, ...args);
  expect(`${call} = ${ours}`).toBe(`${call} = ${expected}`);
  expect(`${call} = ${sqlite}`).toBe(`${call} = ${expected}`);
}

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('JSON functions, as SQLite has them', () => {
  const cases: readonly [expected: string, name: string, ...args: SqliteValue[]][] = [
    ['text {"a":1.50}', 'json', ' { "a" : 1.50 } '],
    ['text {"a":[255,0.5,5.0,9e999,null,"x\'y"]}', 'json', "{a:[0xff,+.5,5.,Infinity,NaN,'x\\'y',]}"],
    ['text "\\u0041\\ud83d\\ude00"', 'json', '"\\u0041\\ud83d\\ude00"'],
    ['text A\u{1f600}', 'json_extract', '"\\u0041\\ud83d\\ude00"', '$'],
    ['text a\0b', 'json_extract', '"a\\u0000b"', '$'],
    ['text [1]', 'json', '[1]\0 a NUL ends the text'],
    ['error', 'json', ''],
    ['error', 'json', '[01]'],
    ['error', 'json', '{null:1}'],
    ['error', 'json', '[1] 2'],
    ['text {"nullable":1}', 'json', '{nullable:1}'],
    ['text 5', 'json', 5n],
    ['text 1.0', 'json', 1],
    ['null', 'json', null],
    ['integer 9223372036854775807', 'json_extract', '[9223372036854775807]', '$[0]'],
    ['real 9223372036854776000', 'json_extract', '[9223372036854775808]', '$[0]'],
    ['integer -9223372036854775808', 'json_extract', '[-9223372036854775808]', '$[0]'],
    ['real 2', 'json_extract', '[2.0]', '$[#-1]'],
    ['text 2.00', '->', '[2.00]', 0n],
    ['integer 1', '->>', '[true]', -1n],
    ['null', '->>', '[null]', 0n],
    ['text null', '->', '[null]', 0n],
    ['null', '->>', '[1]', 1n],
    ['integer 1', '->>', '{"a.b":1}', 'a.b'],
    ['integer 1', '->>', '{"a":{"b":1}}', '$.a.b'],
    ['integer 1', '->>', '{"a.b":1}', '$."a.b"'],
    ['integer 1', '->>', '{"a":1,"a":2}', 'a'],
    ['integer 1', '->>', '{"\\u0061":1}', 'a'],
    ['null', '->>', '{"a":[]}', '0'],
    ['integer 7', '->>', '{"0":7}', '0'],
    ['error', '->>', '{}', ''],
    ['error', '->>', '{"a":[]}', '$.a['],
    ['null', '->>', '{}', '$.a['],
    ['null', '->', '5', 'a'],
    ['text [1,null]', 'json_extract', '{"a":1}', '$.a', '$.b'],
    ['null', 'json_extract', '{"a":1}', '$.a', null],
    ['error', 'json_extract', '{"a":1}', 'a'],
    ['integer 2', 'json_array_length', '[1,2]'],
    ['integer 0', 'json_array_length', '{"a":[1,2]}'],
    ['integer 2', 'json_array_length', '{"a":[1,2]}', '$.a'],
    ['null', 'json_array_length', '{}', '$.a'],
    ['text integer', 'json_type', '0x1F'],
    ['text real', 'json_type', '{"a":.5}', '$.a'],
    ['integer 1', 'json_valid', '{"a":1}'],
    ['integer 0', 'json_valid', '{a:1}'],
    ['integer 1', 'json_valid', '{a:1}', 2n],
    ['error', 'json_valid', '{}', 0n],
    ['null', 'json_valid', null],
    ['text "a\\"b\\\\\\u0001\\n"', 'json_quote', 'a"b\\\u0001\n'],
    ['text 0.1', 'json_quote', 0.1],
    ['text 1.0', 'json_quote', 1],
    ['text -9.0e+999', 'json_quote', -Infinity],
    ['text null', 'json_quote', null],
    ['error', 'json_quote', bytes('a')],
    ['text ["a",1,2.5,null]', 'json_array', 'a', 1n, 2.5, null],
    ['text []', 'json_array'],
    ['text {"a":"[1]","a":2}', 'json_object', 'a', '[1]', 'a', 2n],
    ['error', 'json_object', 1n, 2n],
    ['error', 'json_object', 'a'],
  ]; // prettier-ignore
  for (const [expected, name, ...args] of cases) {
    it(`gives ${expected} for ${name}(${args.map(describeValue).join(', ')})`, () => {
      check(expected, name, ...args);
    });
  }

  it('nests 1000 levels deep, and paths 999', () => {
    check(`text ${nested(1000)}`, 'json', nested(1000));
    check('error', 'json', nested(1001));
    check('text []', '->', nested(1000), `$${'[0]'.repeat(999)}`);
    check('error', '->', nested(1001), `$${'[0]'.repeat(999)}`);
    const deep = '[0]'.repeat(1000);
    expect(compare('->', `[${nested(999)}]`, `$${deep}`)).toMatchObject({
      sqlite: 'null',
      ours: 'null',
    });
  });

  it('reads BLOBs that are JSON text', () => {
    check('text {"a":12}', 'json', bytes('{"a":12}'));
    check('text [1,2]', 'json', bytes('[1, 2]'));
    check('integer 1', '->>', bytes('[1, 2, 3]'), 0n);
    check('error', 'json', bytes('{"a":'));
    check('integer 0', 'json_valid', bytes('{"a":'));
  });

  it('refuses what may be JSONB, where SQLite reads numbers from it', () => {
    expect(compare('json', bytes('3123'))).toMatchObject({ ours: 'error', sqlite: 'text 123' });
    const array = compare('json', bytes('[7,1]\n'));
    expect(array).toMatchObject({ ours: 'error', sqlite: 'text [",1]",""]' });
  });

  it('lists the keys of an object, as json_each gives them', () => {
    const keys = (json: string) => apply(functions.get('json_keys'), [json]);
    const expected = oracle.scalar('(SELECT json_group_array(key) FROM json_each(?))', [
      '{b:1,"a\\n":2,"1":3,b:4}',
    ]);
    expect(keys('{b:1,"a\\n":2,"1":3,b:4}')).toBe(expected);
    expect(keys('[1]')).toBe('error');
  });
});

describe('random JSON', () => {
  it(
    'is taken or refused, and rendered, as SQLite does',
    () => {
      expectNoDifference(3000, function* (random) {
        const json = randomJson(random);
        for (const name of ['json', 'json_type', 'json_valid', 'json_quote']) {
          yield compare(name, json);
        }
        yield compare('json_valid', json, BigInt(random.int(17)));
        yield compare('json_extract', json, '$');
        yield compare('json_array', json, random.pick([1n, 0.1, 1e300, null, 'é']));
      });
    },
    LONG_TEST_MS,
  );

  it(
    'has under random paths what SQLite finds there',
    () => {
      expectNoDifference(1500, function* (random) {
        const json = randomJson(random);
        for (let i = 0; i < 3; i++) {
          const path = randomPath(random);
          for (const name of ['json_extract', 'json_type', 'json_array_length', '->', '->>']) {
            yield compare(name, json, path);
          }
          yield compare('json_extract', json, path, randomPath(random));
          const step = randomStep(random);
          yield compare('->', json, step);
          yield compare('->>', json, step);
        }
      });
    },
    LONG_TEST_MS,
  );
});
