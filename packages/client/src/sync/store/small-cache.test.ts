import { openConnection } from '@sluice/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { withSmallCache } from './small-cache.ts';

function connectionWith(cacheBytes: number) {
  const connection = openConnection(':memory:', { cacheBytes });
  onTestFinished(() => connection.close());
  return { connection, size: () => connection.prepare('PRAGMA cache_size').get()?.[0] };
}

test('the cache is small while the body runs, and as large as before afterwards', () => {
  const { connection, size } = connectionWith(50 << 20);
  expect(withSmallCache(connection, size)).toBe(-8 * 1024);
  expect(size()).toBe(-50 * 1024);
});

test('also when the body throws, within a transaction', () => {
  const { connection, size } = connectionWith(50 << 20);
  connection.exec('BEGIN');
  const fail = () => {
    throw new Error('refused');
  };
  expect(() => withSmallCache(connection, fail)).toThrow('refused');
  expect(size()).toBe(-50 * 1024);
});

test('a cache that is smaller yet stays so', () => {
  const { connection, size } = connectionWith(1 << 20);
  expect(withSmallCache(connection, size)).toBe(-1024);
  expect(size()).toBe(-1024);
});
