import { expect, it } from 'vitest';
import { lagBytes } from './lag-bytes.ts';

it.each([
  ['00000000/00000010', '00000000/00000008', 8],
  ['00000001/00000000', '00000000/FFFFFFFF', 1],
  ['00000000/00000001', '00000000/00000002', 0],
])('between %s and %s lie %d bytes', (head, position, expected) => {
  expect(lagBytes(head, position)).toBe(expected);
});
