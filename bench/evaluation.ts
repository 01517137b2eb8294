/**
 * What evaluating a row costs: source row in, client rows, bucket names and lookups out. No database,
 * no service. Budgets: 2 us for a six-column row, 5 us for ten columns against five definitions.
 *
 * Run: npm run bench -- --only evaluation
 *
 * Times are processor time of the process, garbage collection included, so that other work on the
 * machine shows less; the least of the runs is the figure, the median says how calm the machine was.
 */
import { cpus } from 'node:os';
import type { SqliteRow, SqliteType, TableSchema } from '@sluice/model';
import { compileSyncConfig, type RowEvaluator } from '@sluice/sync-config';

const ROWS = 4096;
const PASSES = 10;
const RUNS = 41;

const TYPES: readonly SqliteType[] = ['text', 'integer', 'text', 'real', 'text', 'integer'];
const STREAMS = 'config: { edition: 3 }\nstreams:\n';

const WORKLOADS = [
  {
    name: '6 columns, SELECT *, global',
    columns: 6,
    yaml: `${STREAMS}  a: { query: SELECT * FROM t }`,
  },
  {
    name: '6 columns, SELECT *, one key',
    columns: 6,
    yaml: `${STREAMS}  a: { query: SELECT * FROM t WHERE column_1 = auth.user_id() }`,
  },
  {
    name: '6 columns, bucket definition, one key',
    columns: 6,
    yaml: `bucket_definitions:
  a:
    parameters: SELECT request.user_id() AS u
    data:
      - SELECT * FROM t WHERE column_1 = bucket.u`,
  },
  {
    name: '10 columns, 5 definitions',
    columns: 10,
    yaml: `${STREAMS}  a: { query: SELECT * FROM t WHERE column_1 = auth.user_id() }
  b: { query: SELECT * FROM t WHERE column_2 = auth.user_id() AND column_3 > 10 }
  c: { query: SELECT * FROM t WHERE column_4 IN (SELECT id FROM u WHERE owner = auth.user_id()) }
  d: { query: "SELECT id, column_1, upper(column_2) AS c2 FROM t WHERE column_5 = auth.user_id()" }
  e: { query: SELECT * FROM t }`,
  },
];

function tableOf(columns: number): TableSchema {
  return {
    schema: 'public',
    name: 't',
    columns: Array.from({ length: columns }, (_, i) => ({
      name: i === 0 ? 'id' : `column_${i}`,
      sqliteType: TYPES[i % TYPES.length] ?? 'text',
      sourceType: 'bench',
    })),
  };
}

/** Different rows, so that nothing is remembered from the one before. */
function rowsOf(columns: number): readonly SqliteRow[] {
  return Array.from({ length: ROWS }, (_, n) =>
    Array.from({ length: columns }, (_, i) => {
      const type = TYPES[i % TYPES.length];
      if (type === 'integer') return BigInt(n * 31 + i);
      return type === 'real' ? n + 0.5 : `value ${n} of column ${i}`;
    }),
  );
}

function evaluatorOf(yaml: string, columns: number): RowEvaluator {
  const { plan } = compileSyncConfig(yaml, { defaultSchema: 'public' });
  const prefixes = new Map(plan?.definitions.map(({ hash }) => [hash, '1f3a9c2e.7#']));
  const evaluator = plan?.rowEvaluator(tableOf(columns), prefixes);
  if (evaluator === undefined) throw new Error('the workload reads the table');
  return evaluator;
}

/** Microseconds of processor time per row. */
function measureRun(evaluator: RowEvaluator, rows: readonly SqliteRow[]): number {
  const before = process.cpuUsage();
  let buckets = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (const row of rows) {
      for (const output of evaluator.evaluate(row).outputs) buckets += output.buckets.length;
    }
  }
  const { user, system } = process.cpuUsage(before);
  if (buckets === 0) throw new Error('rows end up in buckets');
  return (user + system) / (PASSES * rows.length);
}

console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${RUNS} runs each`);
for (const { name, columns, yaml } of WORKLOADS) {
  const evaluator = evaluatorOf(yaml, columns);
  const rows = rowsOf(columns);
  const times = Array.from({ length: RUNS }, () => measureRun(evaluator, rows)).toSorted(
    (a, b) => a - b,
  );
  const [least = 0] = times;
  const median = times[Math.floor(RUNS / 2)] ?? 0;
  console.log(`${name.padEnd(40)} least ${least.toFixed(2)} us, median ${median.toFixed(2)} us`);
}
