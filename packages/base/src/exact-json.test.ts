import { expect, test } from 'vitest';
import { parseExactJson } from './exact-json.ts';

test('integers that a double cannot hold keep every digit', () => {
  expect(
    parseExactJson('{"a":9007199254740993,"b":12,"c":"9007199254740993 \\" 1","d":-1.5e3}'),
  ).toEqual({
    a: '9007199254740993',
    b: 12,
    c: '9007199254740993 " 1',
    d: -1500,
  });
});
