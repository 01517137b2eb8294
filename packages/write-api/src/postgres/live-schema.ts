import type { Clock } from '@sluice/base';
import { readTargetTables, type TargetTable } from './target-table.ts';
import type { WriteConnection } from './write-database.ts';

interface KnownTable {
  readonly table: TargetTable;
  readonly readAtMs: number;
}

/**
 * How long a definition is used without another look. An altered column type shows as an error most
 * of the time, and then at once (`isStale`); this bounds the rest.
 */
const MAX_AGE_MS = 10_000;
/** Definitions that are kept; a schema with more tables reads some again. */
const MAX_TABLES = 2000;

/** Told whenever definitions were read, before they are used. */
export type OnTables = (
  tables: ReadonlyMap<string, TargetTable>,
  missing: readonly string[],
) => void;

/** The definitions of tables as the catalog has them now, or had a moment ago. */
export class LiveSchema {
  readonly #schema: string;
  readonly #clock: Clock;
  readonly #known = new Map<string, KnownTable>();

  readonly #onRead: OnTables | undefined;

  constructor(schema: string, clock: Clock, onRead?: OnTables) {
    this.#schema = schema;
    this.#clock = clock;
    this.#onRead = onRead;
  }

  /**
   * Those of the named tables that exist. Asks the database for what is not known or old; a name that
   * does not exist is asked for each time, as it may be there by now.
   */
  async tables(
    connection: WriteConnection,
    names: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, TargetTable>> {
    const youngest = this.#clock.now() - MAX_AGE_MS;
    const wanted = [...names].filter((name) => {
      const known = this.#known.get(name);
      return known === undefined || known.readAtMs < youngest;
    });
    if (wanted.length > 0) await this.#read(connection, wanted);
    const found = new Map<string, TargetTable>();
    for (const name of names) {
      const known = this.#known.get(name);
      if (known) found.set(name, known.table);
    }
    return found;
  }

  /** Reads the definitions again, and tells whether one of them is not the given one any more. */
  async isStale(
    connection: WriteConnection,
    used: ReadonlyMap<string, TargetTable>,
    names: ReadonlySet<string>,
  ): Promise<boolean> {
    await this.#read(connection, [...names]);
    return [...names].some((name) => {
      const now = this.#known.get(name)?.table;
      return definition(now) !== definition(used.get(name));
    });
  }

  async #read(connection: WriteConnection, names: readonly string[]): Promise<void> {
    const readAtMs = this.#clock.now();
    const found = await readTargetTables(connection, this.#schema, names);
    if (this.#known.size + found.size > MAX_TABLES) this.#known.clear();
    for (const name of names) {
      const table = found.get(name);
      if (table) this.#known.set(name, { table, readAtMs });
      else this.#known.delete(name);
    }
    this.#onRead?.(
      found,
      names.filter((name) => !found.has(name)),
    );
  }
}

function definition(table: TargetTable | undefined): string {
  if (table === undefined) return '';
  const { storedColumns, uniqueKeys, hasStatementTriggers } = table;
  return JSON.stringify([storedColumns, uniqueKeys, hasStatementTriggers]);
}
