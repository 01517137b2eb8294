import type { ResultListener } from './live-execution.ts';
import type { ResultComparator } from './row-comparison.ts';
import type { RowSet } from './row-set.ts';

/** Passes results on, except those that a comparator finds equal to the last one. */
export function resultListener<Row>(options: {
  readonly comparator: ResultComparator<RowSet<Row>> | undefined;
  readonly push: (result: RowSet<Row>) => void;
  readonly failed: (error: unknown) => void;
  readonly closed: () => void;
}): ResultListener<RowSet> {
  const { comparator, push, failed, closed } = options;
  let previous: RowSet<Row> | undefined;
  return {
    result: (rows) => {
      // What a row looks like is the caller's word.
      const result = rows as unknown as RowSet<Row>;
      try {
        if (previous !== undefined && comparator?.checkEquality(previous, result) === true) return;
      } catch (error) {
        failed(error);
        return;
      }
      previous = result;
      push(result);
    },
    failed,
    closed,
  };
}
