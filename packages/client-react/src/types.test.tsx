import {
  column,
  rowOf,
  Table,
  type PlainRow,
  type Row,
  type StoredRow,
  type SyncStatus,
} from '@sluice/client';
import { describe, expectTypeOf, test } from 'vitest';
import { useMutation } from './use-mutation.ts';
import { useQuery } from './use-query.ts';
import { useStatus } from './use-status.ts';
import { useSuspenseQuery } from './use-suspense-query.ts';

const todos = new Table({ title: column.text.notNull(), done: column.boolean });

/** Hooks that are only compiled: what they give has its type from what they get. */
function Typed() {
  return {
    plain: useQuery('SELECT 1').data,
    stored: useQuery<StoredRow<typeof todos>>('SELECT * FROM todos').data,
    described: useQuery({ sql: 'SELECT * FROM todos', mapper: rowOf(todos) }).data,
    mapped: useQuery({ sql: 'SELECT 1', mapper: () => 7 }).data,
    custom: useQuery({
      compile: () => ({ sql: 'SELECT 1', parameters: [] }),
      execute: () => Promise.resolve([new Date()]),
    }).data,
    suspended: useSuspenseQuery({ sql: 'SELECT * FROM todos', mapper: rowOf(todos) }),
    status: useStatus(),
    selected: useStatus(({ streams }) => streams.length),
    mutation: useMutation((_, title: string) => title.length),
    idle: useMutation(() => 1),
  };
}

type Hooks = ReturnType<typeof Typed>;

describe('types', () => {
  test('of rows come from the schema, the mapper or the query', () => {
    expectTypeOf<Hooks['plain']>().toEqualTypeOf<readonly PlainRow[]>();
    expectTypeOf<Hooks['stored'][number]>().toEqualTypeOf<{
      id: string;
      title: string;
      done: number | null;
    }>();
    expectTypeOf<Hooks['described']>().toEqualTypeOf<readonly Row<typeof todos>[]>();
    expectTypeOf<Hooks['described'][number]['done']>().toEqualTypeOf<boolean | null>();
    expectTypeOf<Hooks['mapped']>().toEqualTypeOf<readonly number[]>();
    expectTypeOf<Hooks['custom']>().toEqualTypeOf<readonly Date[]>();
  });

  test('a query that suspends is never loading', () => {
    expectTypeOf<Hooks['suspended']['data']>().toEqualTypeOf<readonly Row<typeof todos>[]>();
    expectTypeOf<Hooks['suspended']>().not.toHaveProperty('isLoading');
  });

  test('of status and mutations come from the functions given', () => {
    expectTypeOf<Hooks['status']>().toEqualTypeOf<SyncStatus>();
    expectTypeOf<Hooks['selected']>().toEqualTypeOf<number>();
    expectTypeOf<Hooks['mutation']['mutate']>().parameters.toEqualTypeOf<[string]>();
    expectTypeOf<Hooks['mutation']['data']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Hooks['idle']['mutate']>().toBeCallableWith();
  });
});
