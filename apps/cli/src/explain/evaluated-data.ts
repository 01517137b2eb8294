import { matchesPattern, type TablePattern, type TableSchema } from '@sluice/model';
import { valueOptions } from '@sluice/replication';
import type { ChangeSource } from '@sluice/source';
import type { BucketPrefixes, SyncPlan } from '@sluice/sync-config';
import { formatCount } from '../terminal/text.ts';
import type { ClientRow, SyncedData } from './synced-data.ts';

export interface EvaluatedDataOptions {
  readonly plan: SyncPlan;
  /** The file, for people. */
  readonly name: string;
  readonly source: ChangeSource;
  readonly tables: readonly TableSchema[];
  /** Rows to read per table. */
  readonly maxRows: number;
}

/**
 * What clients would be served by a config that is not deployed: its tables are read from the source
 * database when they are first needed, and evaluated here.
 */
export class EvaluatedData implements SyncedData {
  readonly plan: SyncPlan;
  readonly prefixes: BucketPrefixes;
  readonly origin: string;
  readonly #options: EvaluatedDataOptions;
  readonly #lookups = new Map<string, string[]>();
  readonly #rows = new Map<string, ClientRow[]>();
  readonly #read = new Set<TableSchema>();
  readonly #cut = new Set<string>();

  constructor(options: EvaluatedDataOptions) {
    this.plan = options.plan;
    this.origin = `what ${options.name} makes of the database as it is now`;
    // One prefix does: definitions differ by their names.
    this.prefixes = new Map(options.plan.definitions.map(({ hash }) => [hash, '#']));
    this.#options = options;
  }

  readonly lookup: SyncedData['lookup'] = async (keys) => {
    await this.#readTables(this.plan.parameterTables);
    const found = keys.flatMap((key) => {
      const values = this.#lookups.get(key);
      return values === undefined ? [] : [[key, values] as const];
    });
    return new Map(found);
  };

  async rowsOf(bucket: string): Promise<readonly ClientRow[]> {
    await this.#readTables(this.plan.dataTables);
    return this.#rows.get(bucket) ?? [];
  }

  gaps(): readonly string[] {
    const count = formatCount(this.#options.maxRows);
    return [...this.#cut].map(
      (table) =>
        `Only ${count} rows of ${table} were read, so the answer may lack some; see --limit`,
    );
  }

  async #readTables(patterns: readonly TablePattern[]): Promise<void> {
    const wanted = this.#options.tables.filter((table) =>
      patterns.some((pattern) => matchesPattern(pattern, table)),
    );
    for (const table of wanted) {
      if (this.#read.has(table)) continue;
      this.#read.add(table);
      await this.#readTable(table);
    }
  }

  async #readTable({ schema, name }: TableSchema): Promise<void> {
    const { source, maxRows } = this.#options;
    const values = valueOptions(this.plan.options);
    const peeked = await source.peekRows({ schema, name, limit: maxRows, values });
    if (peeked === undefined) return; // dropped meanwhile
    if (peeked.hasMore) this.#cut.add(name);
    const evaluator = this.plan.rowEvaluator(peeked.table, this.prefixes);
    for (const row of evaluator === undefined ? [] : peeked.rows) {
      const { outputs = [], lookups = [] } = evaluator?.evaluate(row) ?? {};
      for (const { key, values: found } of lookups) addTo(this.#lookups, key, found);
      for (const { objectType, objectId, data, buckets } of outputs) {
        for (const bucket of buckets) addTo(this.#rows, bucket, { objectType, objectId, data });
      }
    }
  }

  /** The source is its owner's to close. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
