import { ClientError } from '../errors.ts';
import type { ResultComparator, RowComparator } from './row-comparison.ts';
import { differentiate, type KeyedRows, type RowDifference } from './row-difference.ts';

/** What a watched query makes of each new result. It may keep what it needs of the one before. */
export interface ResultPolicy<Row> {
  next(current: readonly Row[]): PolicyOutcome<Row>;
}

export interface PolicyOutcome<Row> {
  readonly data: readonly Row[];
  /** False: nobody is told. */
  readonly changed: boolean;
  readonly difference?: RowDifference<Row>;
  readonly problem?: ClientError;
}

/** Every result is new, unless a comparator finds it equal to the last one. */
export class WholeResults<Row> implements ResultPolicy<Row> {
  readonly #comparator: ResultComparator<readonly Row[]> | undefined;
  #previous: readonly Row[] | undefined;

  constructor(comparator: ResultComparator<readonly Row[]> | undefined) {
    this.#comparator = comparator;
  }

  next(current: readonly Row[]): PolicyOutcome<Row> {
    const previous = this.#previous;
    if (previous !== undefined && this.#comparator?.checkEquality(previous, current) === true) {
      return { data: previous, changed: false };
    }
    this.#previous = current;
    return { data: current, changed: true };
  }
}

/** Results as differences. */
export class DifferentialResults<Row> implements ResultPolicy<Row> {
  readonly #comparator: RowComparator<Row>;
  readonly #reportDuplicates: boolean;
  #rows: KeyedRows<Row>;
  #previous: readonly Row[] | undefined;

  constructor(options: {
    readonly comparator: RowComparator<Row>;
    /** What the first result is compared with. */
    readonly data: readonly Row[];
    readonly reportDuplicates: boolean;
  }) {
    this.#comparator = options.comparator;
    this.#reportDuplicates = options.reportDuplicates;
    this.#rows = differentiate(new Map(), options.data, options.comparator).rows;
  }

  next(current: readonly Row[]): PolicyOutcome<Row> {
    const { difference, changed, duplicateKeys, rows } = differentiate(
      this.#rows,
      current,
      this.#comparator,
    );
    this.#rows = rows;
    const problem = this.#reportDuplicates ? duplicates(duplicateKeys.length) : undefined;
    if (!changed && this.#previous !== undefined) {
      return { data: this.#previous, changed, ...(problem && { problem }) };
    }
    this.#previous = difference.all;
    return { data: difference.all, changed: true, difference, ...(problem && { problem }) };
  }
}

function duplicates(count: number): ClientError | undefined {
  if (count === 0) return undefined;
  return new ClientError(
    'DUPLICATE_ROW_KEY',
    `${count} rows of a differential watch have the key of another row; only the last of each is kept. ` +
      'Select a unique `id`, or pass a rowComparator whose keyBy is unique',
  );
}
