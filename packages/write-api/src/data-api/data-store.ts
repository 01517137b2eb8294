import { AppError } from '@sluice/base';
import type { Caller } from '../pipeline/row-write.ts';
import type { StoreTransaction, WriteStore } from '../pipeline/write-store.ts';
import type { TargetTable } from '../postgres/target-table.ts';
import { forbidden, readFilter } from './read-access.ts';
import { queryProblem } from './query-problem.ts';
import type { DataStatement, ReadFilter } from './query-sql.ts';
import type { DataTable } from './data-table.ts';
import type { DataCaller } from './service-tokens.ts';

/** A store that also tells what its tables are. */
export interface DataStore extends WriteStore {
  begin(caller: Caller, tables: ReadonlySet<string>): Promise<DataTransaction>;
}

interface DataTransaction extends StoreTransaction {
  /** As the catalog has it, of the tables that it was begun for. */
  definition(table: string): TargetTable | undefined;
}

export interface DataReaderOptions {
  /** Reads as the role of row-level security, if there is one. */
  readonly store: DataStore;
  /** Reads as the service. */
  readonly serviceStore: DataStore;
  /** SQL of the `read` rule. Undefined: nothing may be read. */
  readonly readRuleOf: (table: string) => string | undefined;
}

type Row = Readonly<Record<string, unknown>>;

/** Reads for the data API: under the rule of the table, or what the database's own policies leave. */
export class DataReader {
  readonly #options: DataReaderOptions;

  constructor(options: DataReaderOptions) {
    this.#options = options;
  }

  /** Whether the caller may read of the table at all. */
  mayRead(table: string, { isService }: DataCaller): boolean {
    return isService || this.#options.readRuleOf(table) !== undefined;
  }

  /**
   * Runs the statement that `build` makes, and gives its rows.
   *
   * @throws AppError `DATA_…`
   */
  async read(
    name: string,
    who: DataCaller,
    build: (table: DataTable, filter: ReadFilter) => DataStatement,
  ): Promise<readonly Row[]> {
    const { store, serviceStore, readRuleOf } = this.#options;
    const its = who.isService ? serviceStore : store;
    assertName(name);
    try {
      await using transaction = await its.begin(who.caller, new Set([name]));
      const table = dataTable(name, transaction.definition(name));
      const { text, values } = build(table, this.#filter(table, who, readRuleOf(name)));
      const { rows } = await transaction.query(text, values);
      await transaction.commit({ outcomes: new Map(), rejected: [] });
      return rows;
    } catch (error) {
      throw readError(error, its);
    }
  }

  #filter(table: DataTable, who: DataCaller, rule: string | undefined): ReadFilter {
    if (who.isService) return undefined;
    if (rule === undefined) throw forbidden(table.name);
    return readFilter(rule, table, who.caller);
  }
}

/** @throws AppError for what cannot even be asked for. */
export function assertName(table: string): void {
  if (table.includes('\0')) throw unknownTable(table);
}

function unknownTable(name: string): AppError {
  return new AppError('DATA_TABLE_UNKNOWN', `There is no table ${JSON.stringify(name)}`);
}

function dataTable(name: string, table: TargetTable | undefined): DataTable {
  if (table === undefined) throw unknownTable(name);
  const columns = new Map(table.storedColumns.map((column) => [column.name, column]));
  return { schema: table.schema, name: table.name, idColumn: table.idColumn, columns };
}

/** What the database says about a query that it understands is the query's fault. */
function readError(error: unknown, store: WriteStore): AppError {
  if (error instanceof AppError) return error;
  const refusal = store.refusalOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (refusal === undefined) {
    return new AppError('DATA_UNAVAILABLE', `The database did not answer: ${message}`, {
      cause: error,
    });
  }
  if (refusal.sqlState === '42501') {
    return new AppError('DATA_FORBIDDEN', message, { cause: error });
  }
  return queryProblem(message, error);
}
