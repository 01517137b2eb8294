import { median, type Figure } from '../harness.ts';

/** Figures of one run, by contender; the first contender is ours. */
export type RunFigures = ReadonlyMap<string, readonly Figure[]>;

/** Medians of the runs side by side; the ratio is above 1 where ours is better than the best of the others. */
export function printContenders(runs: readonly RunFigures[]): void {
  const [ours = '', ...others] = [...(runs[0]?.keys() ?? [])];
  const known = runs[0]?.get(ours) ?? [];
  const rows = known.map(({ name, unit, higherIsBetter }) => {
    const value = (contender: string) =>
      median(runs.map((run) => run.get(contender)?.find((f) => f.name === name)?.value ?? NaN));
    const values = others.map(value);
    const best = higherIsBetter ? Math.max(...values) : Math.min(...values);
    const ratio = higherIsBetter ? value(ours) / best : best / value(ours);
    const cells = [value(ours), ...values].map((cell) => `${format(cell)} ${unit}`);
    return [name, ...cells, ratio.toFixed(2)];
  });
  print([[`medians of ${runs.length}`, ours, ...others, 'ratio'], ...rows]);
}

function print(table: readonly (readonly string[])[]): void {
  const [head = []] = table;
  const widths = head.map((_, at) => Math.max(...table.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
  for (const row of table) console.log(line(row).join('  '));
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);
}
