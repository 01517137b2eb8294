import type { PlainRow } from '@sluice/client';

type Mapper<Row> = (row: PlainRow) => Row;

const known = new WeakMap<Mapper<unknown>, WeakMap<PlainRow, { readonly mapped: unknown }>>();

/** Maps each row once per mapper, so that rows that have not changed stay the same objects. */
export function mappedRows<Row>(rows: readonly Row[], mapper: Mapper<Row>): readonly Row[] {
  const cache = known.get(mapper) ?? new WeakMap<PlainRow, { readonly mapped: unknown }>();
  known.set(mapper, cache);
  return rows.map((row) => {
    // With a mapper, what the cache has are rows as SQLite gives them.
    const plain = row as PlainRow;
    const before = cache.get(plain);
    if (before !== undefined) return before.mapped as Row;
    const mapped = mapper(plain);
    cache.set(plain, { mapped });
    return mapped;
  });
}
