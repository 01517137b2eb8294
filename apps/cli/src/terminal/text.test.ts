import path from 'node:path';
import { expect, test } from 'vitest';
import { formatTable } from './table.ts';
import { counted, cut, formatBytes, formatCount, formatDuration, shownPath } from './text.ts';

test('numbers, times and sizes read well', () => {
  expect([0, 999, 1000, 1234567n].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0.4, 999, 1000, 59_940, 125_000].map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '2 min 5 s',
  ]);
  expect([999, 1500, 20_000_000].map(formatBytes)).toEqual(['999 B', '1.5 kB', '20.0 MB']);
  expect([counted(1, 'row'), counted(0, 'row')]).toEqual(['1 row', '0 rows']);
  expect([cut('abc', 3), cut('abcd', 3)]).toEqual(['abc', 'ab…']);
});

test('paths below the working directory are relative', () => {
  expect(shownPath('/a/b', '/a/b/c/d')).toBe(path.join('c', 'd'));
  expect(shownPath('/a/b', '/a/x')).toBe('/a/x');
});

test('a table has a heading and columns of equal width', () => {
  expect(
    formatTable(
      ['id', 'name'],
      [
        ['1', 'a\nb'],
        ['22', null],
      ],
    ),
  ).toEqual(['id  name', '──  ────', '1   a b', '22']);
});
