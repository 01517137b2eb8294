import type { Figure } from './harness.ts';

/** Prints figures beside those of the baseline; the ratio is above 1 where this run is better. */
export function printTable(
  conditions: Readonly<Record<string, string | number | undefined>>,
  figures: readonly Figure[],
  baseline: readonly Figure[],
): void {
  console.log(
    Object.entries(conditions)
      .map(([name, value]) => `${name}: ${value}`)
      .join('   '),
  );
  const rows = figures.map((figure) => {
    const before = baseline.find((other) => other.name === figure.name);
    const ratio =
      before === undefined
        ? undefined
        : figure.higherIsBetter
          ? figure.value / before.value
          : before.value / figure.value;
    return [
      figure.name,
      `${format(figure.value)} ${figure.unit}`,
      before === undefined ? '-' : `${format(before.value)} ${before.unit}`,
      ratio === undefined ? '-' : ratio.toFixed(2),
    ];
  });
  const table = [['workload', 'this run', 'baseline', 'ratio'], ...rows];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...table.map((row) => (row[i] ?? '').length)));
  for (const row of table) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    );
  }
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);
}
