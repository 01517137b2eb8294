import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { CANARY_HISTOGRAM, METRICS, metricsPage } from './metric-table.ts';

const DOCUMENT = new URL('../../../../docs/operations.md', import.meta.url);
const TABLE = /\| Metric +\| Kind.*\n(\|.*\n)+/;

/** Rows of a table without the padding that formatting gives it. */
function rows(table: string): string[][] {
  const lines = table.trim().split('\n');
  return lines
    .filter(
      (line) =>
        !/^\|[ -]+\|/.test(line.replaceAll('|', '|').replaceAll(' | ', '')) ||
        !line.includes('---'),
    )
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

it('docs/operations.md lists every metric', async () => {
  const document = await readFile(DOCUMENT, 'utf8');
  if (process.env['UPDATE_DOCS']) {
    await writeFile(DOCUMENT, document.replace(TABLE, `${metricsPage()}\n`));
  }
  const [table = ''] = TABLE.exec(await readFile(DOCUMENT, 'utf8')) ?? [];
  expect(rows(table)).toEqual(rows(metricsPage()));
});

it('metrics are named as Prometheus asks: a prefix, base units, _total for what only grows', () => {
  for (const { name, kind } of [...METRICS, { ...CANARY_HISTOGRAM, kind: 'histogram' }]) {
    expect(name).toMatch(/^sluice_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    expect(name).not.toMatch(/_ms|_millis|_kb|_mb/);
  }
});
