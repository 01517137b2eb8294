/** Decides whether a result is worth telling of. */
export interface ResultComparator<Data> {
  /** True: nothing has changed, so nobody is told. */
  checkEquality(previous: Data, current: Data): boolean;
}

export interface RowComparator<Row> {
  /** What makes it the same row as before. */
  keyBy(row: Row): string;
  /** Differs if the row has changed. */
  compareBy(row: Row): string;
}

/** Results are equal if they have as many rows, and each gives the same text as its predecessor. */
export class ArrayComparator<Row> implements ResultComparator<readonly Row[]> {
  readonly #compareBy: (row: Row) => string;

  constructor(options: { readonly compareBy: (row: Row) => string }) {
    this.#compareBy = options.compareBy;
  }

  checkEquality(previous: readonly Row[], current: readonly Row[]): boolean {
    if (previous.length !== current.length) return false;
    const before = previous.map(this.#compareBy);
    return current.every((row, at) => this.#compareBy(row) === before[at]);
  }
}

/** A row by its `id` if that is text, else by everything in it. */
export const defaultRowComparator: RowComparator<unknown> = {
  keyBy: (row) => {
    const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : undefined;
    return typeof id === 'string' ? id : rowText(row);
  },
  compareBy: rowText,
};

/** JSON, which has nothing for a bigint and not enough for bytes. */
function rowText(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') return { bigint: value.toString() };
    if (value instanceof Uint8Array) return { bytes: [...value] };
    return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value;
  });
}
