import { openConnection } from '@sluice/client-node';
import { expect, test } from 'vitest';
import type { SqliteConnection } from '../driver/contract.ts';
import { StatementAnalyzer } from './statement-analyzer.ts';
import { readSamples, SAMPLE_SCHEMA, writeSamples } from '../testing/sample-statements.ts';

function sampleDatabase(): SqliteConnection {
  const connection = openConnection(':memory:');
  connection.exec(SAMPLE_SCHEMA);
  return connection;
}

/** `tasks(done, list_id) lists(*)`: tables in the order of their names, `*` for all columns. */
function readsText(analyzer: StatementAnalyzer, sql: string): string {
  const { tables } = analyzer.reads(sql);
  if (tables === 'everything') return 'everything';
  return [...tables]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, columns]) => `${name}(${columns === 'all' ? '*' : [...columns].toSorted().join(' ')})`)
    .join(' ');
}

test('reads are the tables and columns that a person would name', () => {
  const analyzer = new StatementAnalyzer(sampleDatabase());
  const wrong = readSamples
    .map(({ sql, reads }) => ({ sql, reads, found: readsText(analyzer, sql) }))
    .filter(({ reads, found }) => reads !== found);
  expect(readSamples.length).toBeGreaterThanOrEqual(200);
  expect(wrong).toEqual([]);
});
