import { expect, test } from 'vitest';
import { subkeyOf } from './subkey.ts';

test('a key that clients see anyway stays readable', () => {
  expect(subkeyOf(40, 'L1', 'L1', 'salt')).toBe('14/L1');
});

test('a key that is not synced does not leak, and depends on salt, table and key', () => {
  const subkey = subkeyOf(40, 'secret', 'L1', 'salt');
  expect(subkey).toMatch(/^14\/[A-Za-z0-9_-]{22}$/);
  expect(subkeyOf(40, 'secret', 'L2', 'salt')).toBe(subkey);
  const others = [
    subkeyOf(40, 'secret', 'L1', 'other'),
    subkeyOf(41, 'secret', 'L1', 'salt'),
    subkeyOf(40, 'secret2', 'L1', 'salt'),
  ];
  expect(new Set([subkey, ...others]).size).toBe(4);
});
