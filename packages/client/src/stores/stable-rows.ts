import type { RowComparator } from '../watch/row-comparison.ts';
import { sameValue } from './same-value.ts';

interface Known<Row> {
  readonly row: Row;
  /** By the comparator; undefined without one. */
  readonly text: string | undefined;
}

/**
 * Results whose unchanged rows are the very objects of the result before, and which are the very array of before if nothing has
 * changed. Unlike a differential watch it leaves no row out: those with the same key are told apart by their order.
 */
export class StableRows<Row> {
  readonly #comparator: RowComparator<Row> | undefined;
  #known = new Map<unknown, readonly Known<Row>[]>();
  /** The result before, as it came and as it was given. */
  #last: { readonly current: readonly Row[]; readonly rows: readonly Row[] } | undefined;

  constructor(comparator: RowComparator<Row> | undefined) {
    this.#comparator = comparator;
  }

  next(current: readonly Row[]): readonly Row[] {
    const before = this.#last;
    if (before?.current === current) return before.rows;
    const rows = this.#withKnown(current);
    const isSame =
      before?.rows.length === rows.length && rows.every((row, at) => row === before.rows[at]);
    this.#last = { current, rows: isSame ? before.rows : rows };
    return this.#last.rows;
  }

  #withKnown(current: readonly Row[]): readonly Row[] {
    const known = new Map<unknown, Known<Row>[]>();
    const rows = current.map((row, at) => {
      const key = this.#keyOf(row, at);
      const sameKey = known.get(key) ?? [];
      if (sameKey.length === 0) known.set(key, sameKey);
      const kept = this.#kept(row, this.#known.get(key)?.[sameKey.length]);
      sameKey.push(kept);
      return kept.row;
    });
    this.#known = known;
    return rows;
  }

  #kept(row: Row, before: Known<Row> | undefined): Known<Row> {
    const text = this.#comparator?.compareBy(row);
    if (before === undefined) return { row, text };
    const same = text === undefined ? sameValue(before.row, row) : text === before.text;
    return same ? before : { row, text };
  }

  /** Rows without an `id` are compared with the row that was in their place. */
  #keyOf(row: Row, at: number): unknown {
    if (this.#comparator !== undefined) return this.#comparator.keyBy(row);
    const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : undefined;
    return typeof id === 'string' ? id : at;
  }
}
