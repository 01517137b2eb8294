import type { SqliteRow, SqliteType, TableSchema } from '@sluice/model';
import { bench, describe } from 'vitest';
import { planOf, prefixesOf } from './testing/check.ts';

/** Budgets: 2 us for a six-column row, 5 us for ten columns against five definitions. */

const TYPES: readonly SqliteType[] = ['text', 'integer', 'text', 'real', 'text', 'integer'];

function table(columns: number): TableSchema {
  return {
    schema: 'public',
    name: 't',
    columns: Array.from({ length: columns }, (_, i) => ({
      name: i === 0 ? 'id' : `column_${i}`,
      sqliteType: TYPES[i % TYPES.length] ?? 'text',
      sourceType: 'test',
    })),
  };
}

/** Different rows, so that nothing is remembered from the one before. */
function rows(columns: number): readonly SqliteRow[] {
  return Array.from({ length: 1024 }, (_, n) =>
    Array.from({ length: columns }, (_, i) => {
      const type = TYPES[i % TYPES.length];
      if (type === 'integer') return BigInt(n * 31 + i);
      return type === 'real' ? n + 0.5 : `value ${n} of column ${i}`;
    }),
  );
}

function measure(name: string, yaml: string, columns: number): void {
  const plan = planOf(yaml);
  const evaluator = plan.rowEvaluator(table(columns), prefixesOf(plan));
  const input = rows(columns);
  let at = 0;
  bench(name, () => {
    evaluator?.evaluate(input[at++ % input.length] ?? []);
  });
}

const STREAMS = 'config: { edition: 3 }\nstreams:\n';

describe('evaluating a row', () => {
  measure('6 columns, SELECT *, global', `${STREAMS}  a: { query: SELECT * FROM t }`, 6);
  measure(
    '6 columns, SELECT *, one key',
    `${STREAMS}  a: { query: SELECT * FROM t WHERE column_1 = auth.user_id() }`,
    6,
  );
  measure(
    '6 columns, bucket definition, one key',
    `bucket_definitions:
  a:
    parameters: SELECT request.user_id() AS u
    data:
      - SELECT * FROM t WHERE column_1 = bucket.u`,
    6,
  );
  measure(
    '10 columns, 5 definitions',
    `${STREAMS}  a: { query: SELECT * FROM t WHERE column_1 = auth.user_id() }
  b: { query: SELECT * FROM t WHERE column_2 = auth.user_id() AND column_3 > 10 }
  c: { query: SELECT * FROM t WHERE column_4 IN (SELECT id FROM u WHERE owner = auth.user_id()) }
  d: { query: "SELECT id, column_1, upper(column_2) AS c2 FROM t WHERE column_5 = auth.user_id()" }
  e: { query: SELECT * FROM t }`,
    10,
  );
});
