import type { TableSchema } from '@sluice/model';
import type { LookupFunction, SyncPlan } from '../contract.ts';
import { evaluate, type Row } from './check.ts';

/** Rows by table. */
export type Rows = Readonly<Record<string, readonly Row[]>>;

export function schemaOf(table: string, row: Row): TableSchema {
  const columns = Object.keys(row).map((name) => ({
    name,
    sqliteType: 'text' as const,
    sourceType: 'test',
  }));
  return { schema: 'public', name: table, columns };
}

/** Answers lookups from what the plan makes of the rows. */
export function lookupIn(plan: SyncPlan, rows: Rows): LookupFunction {
  const store = new Map<string, string[]>();
  for (const [table, list] of Object.entries(rows)) {
    for (const { key, values } of list.flatMap((row) => evaluate(plan, table, row).lookups)) {
      store.set(key, [...(store.get(key) ?? []), values]);
    }
  }
  return (keys) =>
    Promise.resolve(
      new Map(keys.filter((key) => store.has(key)).map((key) => [key, store.get(key) ?? []])),
    );
}
