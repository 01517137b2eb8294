import type { RowComparator } from './row-comparison.ts';

/** How a result differs from the one before. Rows that have not changed are the very objects of before. */
export interface RowDifference<Row> {
  readonly added: readonly Row[];
  readonly removed: readonly Row[];
  readonly updated: readonly { readonly previous: Row; readonly current: Row }[];
  readonly unchanged: readonly Row[];
  /** The whole result, in its order. */
  readonly all: readonly Row[];
}

export interface Differentiated<Row> {
  readonly difference: RowDifference<Row>;
  /** Whether there is anything to tell: also if only the order of rows has changed. */
  readonly changed: boolean;
  readonly duplicateKeys: readonly string[];
  readonly rows: KeyedRows<Row>;
}

/** By key, in the order of the result. */
export type KeyedRows<Row> = ReadonlyMap<string, { readonly row: Row; readonly text: string }>;

/** Of rows with the same key the last one counts. */
export function differentiate<Row>(
  previous: KeyedRows<Row>,
  current: readonly Row[],
  comparator: RowComparator<Row>,
): Differentiated<Row> {
  const { rows, duplicateKeys } = keyed(previous, current, comparator);
  const added: Row[] = [];
  const updated: { previous: Row; current: Row }[] = [];
  const unchanged: Row[] = [];
  for (const [key, { row }] of rows) {
    const before = previous.get(key);
    if (before === undefined) added.push(row);
    else if (before.row === row) unchanged.push(row);
    else updated.push({ previous: before.row, current: row });
  }
  const removed = [...previous].filter(([key]) => !rows.has(key)).map(([, { row }]) => row);
  const all = [...rows.values()].map(({ row }) => row);
  const before = [...previous.values()];
  const changed = all.length !== before.length || all.some((row, at) => row !== before[at]?.row);
  const difference = { added, removed, updated, unchanged, all };
  return { difference, changed, duplicateKeys, rows };
}

function keyed<Row>(
  previous: KeyedRows<Row>,
  current: readonly Row[],
  comparator: RowComparator<Row>,
): { readonly rows: KeyedRows<Row>; readonly duplicateKeys: readonly string[] } {
  const rows = new Map<string, { row: Row; text: string }>();
  const duplicateKeys: string[] = [];
  for (const row of current) {
    const key = comparator.keyBy(row);
    const text = comparator.compareBy(row);
    const before = previous.get(key);
    if (rows.has(key)) duplicateKeys.push(key);
    rows.set(key, before?.text === text ? before : { row, text });
  }
  return { rows, duplicateKeys };
}
