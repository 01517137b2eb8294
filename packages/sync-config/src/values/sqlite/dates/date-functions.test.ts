import type { SqliteValue } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { LONG_TEST_MS, expectNoDifference, type Comparison } from '../../../testing/differences.ts';
import { randomModifiers, randomPattern, randomTimeValue } from '../../../testing/random-dates.ts';
import { apply, describeValue, SqliteOracle } from '../../../testing/sqlite-oracle.ts';
import { createSqliteDateFunctions } from './date-functions.ts';
import { timeDependence } from './time-dependence.ts';

const oracle = new SqliteOracle();
const functions = createSqliteDateFunctions();

function compare(name: string, ...args: readonly SqliteValue[]): Comparison {
  return {
    call: `${name}(${args.map(describeValue).join(', ')})`,
    ours: apply(functions.get(name), args),
    sqlite: oracle.scalar(`${name}(${args.map(() => '?').join(', ')})`, args),
  };
}

describe('date functions, as SQLite has them', () => {
  const cases: readonly [expected: string, name: string, ...args: SqliteValue[]][] = [
    ['text 2024-02-29', 'date', '2024-02-29'],
    ['text 2023-03-03', 'date', '2023-02-31'],
    ['text 2023-02-31', 'date', '2023-02-31', 'subsec'],
    ['text 2023-02-28', 'date', '2023-01-31', '+1 month', 'floor'],
    ['text 2023-03-03', 'date', '2023-01-31', '+1 month'],
    ['text 2023-03-03', 'date', '2023-01-31', '+1 month', 'ceiling'],
    ['text 2020-01-01 24:00:00', 'datetime', '2020-01-01 24:00'],
    ['text 2019-12-31 18:30:00', 'datetime', '2020-01-01T00:00+05:30'],
    ['text 2020-01-01 12:00:00.457', 'datetime', '2020-01-01 12:00:00.4567', 'subsec'],
    ['text 2023-11-14 22:13:20', 'datetime', 1_700_000_000n, 'unixepoch'],
    ['text 2023-11-14 22:13:20', 'datetime', 1_700_000_000n, 'auto'],
    ['text 2000-01-01 12:00:00', 'datetime', 2_451_545n, 'auto'],
    ['null', 'datetime', 1_700_000_000n],
    ['text 2024-05-12', 'date', '2024-05-06', 'weekday 0'],
    ['text 2024-05-06', 'date', '2024-05-06', 'weekday 1'],
    ['text 2024-05-01 00:00:00', 'datetime', '2024-05-06 13:00', 'start of month'],
    ['text 2021-02-04 05:00:00', 'datetime', '2020-01-01', '+0001-01-03 05:00'],
    ['text 00:30:00', 'time', '23:30', '+1 hour'],
    ['text -0001-12-31', 'date', '0000-01-01', '-1 day'],
    ['null', 'date', '9999-12-31', '+1 day'],
    ['real 2451544.5', 'julianday', '2000-01-01'],
    ['integer -1', 'unixepoch', '1969-12-31 23:59:59'],
    ['real 1.5', 'unixepoch', '1970-01-01 00:00:01.5', 'subsec'],
    ['text 01.000', 'strftime', '%f', '12:00:01.0005'],
    ['text 2459580.5 001 00 00 52 2021', 'strftime', '%J %j %W %U %V %G', '2022-01-01'],
    ['null', 'strftime', '%q', '2024-01-01'],
    ['text +0000-00-30 00:00:00.000', 'timediff', '2024-03-01', '2024-01-31'],
    ['text -0001-00-00 12:30:00.000', 'timediff', '2023-01-01', '2024-01-01 12:30'],
    ['null', 'date', null],
    ['null', 'date', '2024-01-01', null],
    ['null', 'date', 'yesterday'],
  ]; // prettier-ignore
  for (const [expected, name, ...args] of cases) {
    it(`gives ${expected} for ${name}(${args.map(describeValue).join(', ')})`, () => {
      const { ours, sqlite } = compare(name, ...args);
      expect({ ours, sqlite }).toEqual({ ours: expected, sqlite: expected });
    });
  }

  it('gives NULL for what depends on when and where it is evaluated', () => {
    for (const args of [
      ['now'],
      ['NOW', '+1 day'],
      ['subsec'],
      ['2024-01-01', 'localtime'],
      ['12:00', 'utc'],
    ]) {
      expect(apply(functions.get('datetime'), args)).toBe('null');
    }
  });
});

describe('what depends on when and where it is evaluated', () => {
  it.each<[string | undefined, string, ...(SqliteValue | undefined)[]]>([
    ['date without a time value means the time of evaluation', 'date'],
    ['strftime without a time value means the time of evaluation', 'strftime', '%Y'],
    ['Now means the time of evaluation', 'datetime', 'Now', '-1 day'],
    ['subsec means the time of evaluation', 'unixepoch', 'subsec'],
    ['now means the time of evaluation', 'timediff', undefined, 'now'],
    ['localtime depends on the time zone of the machine', 'time', undefined, 'localtime'],
    ['utc depends on the time zone of the machine', 'strftime', '%Y', undefined, 'utc'],
    [undefined, 'datetime', '2024-01-01', 'subsec'],
    [undefined, 'strftime', 'now', undefined],
    [undefined, 'upper', 'now'],
  ])('is %s in %s', (expected, name, ...constants) => {
    expect(timeDependence(name, constants)).toBe(expected);
  });
});

describe('random dates', () => {
  it(
    'are what SQLite makes of them',
    () => {
      expectNoDifference(4000, function* (random) {
        const args = [randomTimeValue(random), ...randomModifiers(random)];
        for (const name of ['date', 'time', 'datetime', 'julianday', 'unixepoch']) {
          yield compare(name, ...args);
        }
        yield compare('strftime', randomPattern(random), ...args);
        yield compare('timediff', randomTimeValue(random), randomTimeValue(random));
      });
    },
    LONG_TEST_MS,
  );
});
