import { expect, expectTypeOf, test } from 'vitest';
import { column } from './column.ts';
import { rowOf } from './row-of.ts';
import { Table } from './table.ts';

const todos = new Table({
  title: column.text.notNull(),
  done: column.boolean,
  due: column.date,
  tags: column.json<readonly string[]>(),
});

test('gives the values that the app works with, and leaves alone what the table does not have', () => {
  const stored = { id: 'a', title: 'x', done: 0, due: null, tags: '["t"]', extra: 7 };
  const row = rowOf(todos)(stored);
  expect(row).toEqual({ id: 'a', title: 'x', done: false, due: null, tags: ['t'], extra: 7 });
  expectTypeOf(row).toEqualTypeOf<{
    id: string;
    title: string;
    done: boolean | null;
    due: Date | null;
    tags: readonly string[] | null;
  }>();
});

test('is the same function for the same table, so that it may be written in place', () => {
  expect(rowOf(todos)).toBe(rowOf(todos));
  expect(rowOf(todos)).not.toBe(rowOf(new Table(todos.columns)));
});

test('throws for text that is no JSON', () => {
  expect(() => rowOf(todos)({ id: 'a', tags: '{' })).toThrow(SyntaxError);
});
