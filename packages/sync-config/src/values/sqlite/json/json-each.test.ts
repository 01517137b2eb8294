import type { SqliteValue } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { LONG_TEST_MS, expectNoDifference } from '../../../testing/differences.ts';
import { randomJson } from '../../../testing/random-json.ts';
import { outcomesOfOurs, SqliteOracle } from '../../../testing/sqlite-oracle.ts';
import { sqliteJsonElements } from './json-each.ts';

const oracle = new SqliteOracle();

/** Key and value of each element. */
function elements(value: SqliteValue, mode: 'array' | 'each' = 'each'): readonly string[] {
  return outcomesOfOurs(() =>
    sqliteJsonElements(value, mode).flatMap((element) => [element.key, element.value]),
  );
}

function elementsInSqlite(value: SqliteValue): readonly string[] {
  return oracle.rows('SELECT key, value FROM json_each(?)', [value]);
}

/** Here one element that is not text makes all of them an error. */
function notTextAsWhole(outcomes: readonly string[]): string {
  return outcomes.includes('not text') ? 'not text' : outcomes.join(', ');
}

describe('json_each', () => {
  it.each<[SqliteValue, string]>([
    ['[10,2.0]', 'integer 0, integer 10, integer 1, real 2'],
    ['["a",true,null]', 'integer 0, text a, integer 1, integer 1, integer 2, null'],
    ['{"a":[1, 2],"a":{"b":.5}}', 'text a, text [1,2], text a, text {"b":0.5}'],
    ['{"\\u0061\\n":1}', 'text a\n, integer 1'],
    ['"x"', 'null, text x'],
    ['null', 'null, null'],
    [5n, 'null, integer 5'],
    [1.5, 'null, real 1.5'],
    ['[]', ''],
    [null, ''],
    ['', 'error'],
    ['[1', 'error'],
  ])('of %s has the elements %s', (value, expected) => {
    expect(elements(value).join(', ')).toBe(expected);
    expect(elementsInSqlite(value).join(', ')).toBe(expected);
  });

  it('refuses in array mode what is not an array', () => {
    expect(elements('{"a":1}', 'array')).toEqual(['error']);
    expect(elements('5', 'array')).toEqual(['error']);
    expect(elements(null, 'array')).toEqual([]);
    expect(elements('[5]', 'array')).toEqual(['integer 0', 'integer 5']);
  });

  it(
    'has the elements that SQLite finds in random JSON',
    () => {
      expectNoDifference(3000, function* (random) {
        const json = randomJson(random);
        yield {
          call: `json_each(${JSON.stringify(json)})`,
          ours: notTextAsWhole(elements(json)),
          sqlite: notTextAsWhole(elementsInSqlite(json)),
        };
      });
    },
    LONG_TEST_MS,
  );
});
