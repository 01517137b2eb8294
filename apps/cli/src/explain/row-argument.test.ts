import { describe, expect, test } from 'vitest';
import { keyValues, parseRowArgument } from './row-argument.ts';

describe('the argument of --row', () => {
  test.each([
    ['lists/42', { table: 'lists', by: { kind: 'key', text: '42', separator: '/' } }],
    ['public.lists:42', { schema: 'public', table: 'lists', by: { text: '42', separator: ':' } }],
    ['files/a/b.txt', { table: 'files', by: { text: 'a/b.txt' } }],
    ['lists?name=A = B', { by: { kind: 'columns', values: new Map([['name', 'A = B']]) } }],
    [
      'app.items?n=1&owner=',
      {
        schema: 'app',
        by: {
          values: new Map([
            ['n', '1'],
            ['owner', ''],
          ]),
        },
      },
    ],
  ])('%s', (text, expected) => {
    expect(parseRowArgument(text)).toMatchObject(expected);
  });

  test.each(['lists', 'lists/', '/42', 'lists?', 'lists?name', 'lists?=x'])(
    '%s names no row, and it is said how to',
    (text) => {
      expect(() => parseRowArgument(text)).toThrow(
        expect.objectContaining({ code: 'CLI_USAGE', remedy: expect.stringContaining('lists/42') }),
      );
    },
  );
});

describe('a key', () => {
  const key = (text: string) => ({ kind: 'key', text, separator: '/' }) as const;

  test('of one column is taken whole', () => {
    expect(keyValues(key('a/b'), 'files', ['path'])).toEqual(new Map([['path', 'a/b']]));
  });

  test('of several columns is taken apart', () => {
    const expected = new Map([
      ['user_id', 'u1'],
      ['list_id', 'l1'],
    ]);
    expect(keyValues(key('u1/l1'), 'members', ['user_id', 'list_id'])).toEqual(expected);
  });

  test('of another number of columns is refused with the form of the key', () => {
    expect(() => keyValues(key('u1'), 'members', ['user_id', 'list_id'])).toThrow(
      expect.objectContaining({ message: 'The key of members is <user_id>/<list_id>' }),
    );
    expect(() => keyValues(key('u1'), 'log', [])).toThrow('The table log has no key');
  });
});
