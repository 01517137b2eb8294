import type { SqlValue } from '../driver/contract.ts';
import type { RawRows } from './query-runner.ts';

/** A row as an object by column; of columns with the same name the last one stays. */
export type PlainRow = Readonly<Record<string, SqlValue>>;

/** The result of one run. It may be shared between several watchers, so nobody changes it. */
export class RowSet<Row = PlainRow> implements Iterable<Row> {
  readonly columns: readonly string[];
  readonly array: readonly Row[];

  constructor(columns: readonly string[], array: readonly Row[]) {
    this.columns = columns;
    this.array = array;
  }

  [Symbol.iterator](): Iterator<Row> {
    return this.array[Symbol.iterator]();
  }
}

export function rowSetOf({ columns, rows }: RawRows): RowSet {
  const objects = rows.map((row) =>
    Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])),
  );
  return new RowSet(columns, objects);
}
