import { expect, expectTypeOf, test } from 'vitest';
import { column } from './column.ts';
import { rowOf } from './row-of.ts';
import { Schema } from './schema.ts';
import { Table, type Row, type StoredRow } from './table.ts';

const todos = new Table({
  qty: column.integer.notNull(),
  size: column.bigint,
  done: column.boolean,
  score: column.real,
  limits: column.json<number>(),
});
const schemas = {
  auto: new Schema({ todos }),
  number: new Schema({ todos }, { integerMode: 'number' }),
  bigint: new Schema({ todos }, { integerMode: 'bigint' }),
};

/** Columns whose types are the same in every mode. */
interface Others {
  id: string;
  size: bigint | null;
  done: boolean | null;
  score: number | null;
  limits: number | null;
}

test('rows have the integers of the schema’s mode, and of the columns that say otherwise', () => {
  type Types<Mode extends keyof typeof schemas> = (typeof schemas)[Mode]['types']['todos'];
  expectTypeOf<Types<'auto'>>().toEqualTypeOf<
    { qty: number } & Others extends infer R ? { [K in keyof R]: R[K] } : never
  >();
  expectTypeOf<Types<'number'>['qty']>().toEqualTypeOf<number>();
  expectTypeOf<Types<'bigint'>['qty']>().toEqualTypeOf<bigint>();
  expectTypeOf<Omit<Types<'bigint'>, 'qty'>>().toEqualTypeOf<Others>();
  expectTypeOf<Row<typeof todos, 'bigint'>>().toEqualTypeOf<Types<'bigint'>>();
});

test('rows as SQLite gives them have no integers but those of the mode', () => {
  expectTypeOf<StoredRow<typeof todos>['size']>().toEqualTypeOf<number | bigint | null>();
  expectTypeOf<StoredRow<typeof todos>['done']>().toEqualTypeOf<number | null>();
  expectTypeOf<StoredRow<typeof todos, 'number'>['size']>().toEqualTypeOf<number | null>();
  expectTypeOf<StoredRow<typeof todos, 'bigint'>['done']>().toEqualTypeOf<bigint | null>();
  expectTypeOf<StoredRow<typeof todos, 'bigint'>['score']>().toEqualTypeOf<number | null>();
});

const BIG = 2n ** 53n + 1n;
const stored = { id: 'a', qty: 5, size: 5, done: 1, score: 5, limits: '5' };

test('in the mode bigint, rows of it are mapped to bigints alone', () => {
  const row = rowOf(todos, schemas.bigint.integerMode)({ ...stored, qty: 5n, size: BIG, done: 1n });
  expect(row).toEqual({ id: 'a', qty: 5n, size: BIG, done: true, score: 5, limits: 5 });
  expectTypeOf(row).toEqualTypeOf<typeof schemas.bigint.types.todos>();
  // Whatever form they came in.
  expect(rowOf(todos, 'bigint')(stored)).toMatchObject({ qty: 5n, size: 5n });
});

test('in the mode number, columns that are declared as bigint are bigints, of what was left of them', () => {
  const row = rowOf(todos, 'number')({ ...stored, qty: Number(BIG), size: Number(BIG) });
  expect(row).toMatchObject({ qty: 2 ** 53, size: 2n ** 53n });
});

test('what other programs stored in a column of integers stays as it is', () => {
  for (const qty of ['five', 2.5, null]) {
    expect(rowOf(todos, 'bigint')({ ...stored, qty })).toMatchObject({ qty });
  }
});
