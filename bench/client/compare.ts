import { writeFile } from 'node:fs/promises';
import { median, type Figure } from '../harness.ts';
import { clientConditions } from './client-world.ts';

/** Figures of one run, by contender; the first contender is ours. */
type RunFigures = ReadonlyMap<string, readonly Figure[]>;

export interface Comparison {
  readonly contenders: readonly string[];
  readonly runs: number;
  readonly rows: number;
  /** Figures go there too, run by run. */
  readonly json: string | undefined;
}

/** Measures the contenders in turn, each run in the other order, and prints medians side by side. */
export async function compare(
  { contenders, runs, rows, json }: Comparison,
  measure: (contender: string, run: number) => Promise<readonly Figure[]>,
): Promise<void> {
  const done: RunFigures[] = [];
  for (let run = 0; run < runs; run++) {
    const figures = new Map<string, readonly Figure[]>(contenders.map((name) => [name, []]));
    const order = run % 2 === 0 ? contenders : contenders.toReversed();
    for (const name of order) figures.set(name, await measure(name, run));
    done.push(figures);
  }
  const conditions = clientConditions(rows);
  console.log(conditions);
  printContenders(done);
  if (json === undefined) return;
  const plain = done.map((figures) => Object.fromEntries(figures));
  await writeFile(json, JSON.stringify({ conditions, runs: plain }, undefined, 2));
}

/** Medians of the runs side by side; the ratio is above 1 where ours is better than the best of the others. */
function printContenders(runs: readonly RunFigures[]): void {
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
