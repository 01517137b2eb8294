import { AppError, Backoff, type Clock, type ErrorCode } from '@sluice/base';
import { entryStatements } from './entry-statement.ts';
import { Rejection, rejectionOf, sqlStateOf } from './rejection.ts';
import { readTargetTables, type TargetTable } from './target-table.ts';
import type { UploadConnection, UploadDatabase } from './upload-database.ts';
import type { UploadEntry, UploadItem } from './upload-request.ts';

export interface ApplyOptions {
  readonly schema: string;
  /** Undefined: every table of the schema. */
  readonly tables: ReadonlySet<string> | undefined;
  readonly statementTimeoutMs: number;
  /** Visible to triggers and policies as `current_setting('sluice.user_id')`. */
  readonly userId: string;
  readonly clock: Clock;
  /** A value in [0, 1). */
  readonly random: () => number;
}

/** In the order of the items. */
export type ItemOutcome =
  | { readonly status: 'ok' }
  | {
      readonly status: 'rejected';
      readonly code: ErrorCode;
      readonly message: string;
      readonly sqlState?: string | undefined;
    };

/**
 * How careful a pass over the entries is. Nearly every upload is fine as a whole, so the first pass
 * pays nothing for the case that it is not. Only after a rejection each entry gets a savepoint; and
 * only when deferred constraints fail at the end, they are checked entry by entry.
 */
const PASSES = ['whole', 'each', 'each-immediate'] as const;
type Pass = (typeof PASSES)[number];

/** With the waits between them about two seconds; then the client waits, and sends it again. */
const MAX_ATTEMPTS = 8;

/**
 * Applies the items in order, in one transaction, and resolves after it has committed. An item that
 * can never succeed is left out and reported; the others are applied.
 *
 * @throws AppError `UPLOAD_UNAVAILABLE` on a temporary fault; then nothing was applied.
 */
export async function applyUpload(
  database: UploadDatabase,
  items: readonly UploadItem[],
  options: ApplyOptions,
): Promise<readonly ItemOutcome[]> {
  const { clock, random } = options;
  // Uploads that met each other must not do so again, so the waits differ widely.
  const backoff = new Backoff({ firstMs: 20, maxMs: 600, jitter: 0.8, random });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptUpload(database, items, options);
    } catch (cause) {
      if (attempt < MAX_ATTEMPTS && isConflict(cause)) {
        await clock.sleep(backoff.nextDelayMs());
        continue;
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new AppError('UPLOAD_UNAVAILABLE', `The upload could not be applied: ${message}`, {
        cause,
      });
    }
  }
}

/** Serialisation failure or deadlock: the same work has good chances a moment later. */
function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlStateOf(error) ?? '');
}

async function attemptUpload(
  database: UploadDatabase,
  items: readonly UploadItem[],
  options: ApplyOptions,
): Promise<readonly ItemOutcome[]> {
  const connection = await database.connect();
  let clean = false;
  try {
    await connection.query('BEGIN');
    await connection.query(
      "SELECT set_config('sluice.user_id', $1, true), set_config('statement_timeout', $2, true)",
      [options.userId, String(options.statementTimeoutMs)],
    );
    const tables = await readTargetTables(connection, options.schema, tableNames(items, options));
    const outcomes = await applyWithSavepoints(connection, items, tables);
    await connection.query('COMMIT');
    clean = true;
    return outcomes;
  } finally {
    // After an error the state of the connection is unknown: closing it also rolls back.
    connection.release(!clean);
  }
}

function tableNames(items: readonly UploadItem[], options: ApplyOptions): string[] {
  const names = new Set<string>();
  for (const { content } of items) {
    if (typeof content === 'string') continue;
    if (options.tables === undefined || options.tables.has(content.table)) names.add(content.table);
  }
  return [...names];
}

async function applyWithSavepoints(
  connection: UploadConnection,
  items: readonly UploadItem[],
  tables: ReadonlyMap<string, TargetTable>,
): Promise<readonly ItemOutcome[]> {
  await connection.query('SAVEPOINT sluice_upload');
  let failure: unknown;
  for (const pass of PASSES) {
    try {
      return await applyPass(connection, items, tables, pass);
    } catch (error) {
      if (rejectionOf(error) === undefined) throw error;
      failure = error;
      await connection.query('ROLLBACK TO SAVEPOINT sluice_upload');
    }
  }
  throw failure;
}

async function applyPass(
  connection: UploadConnection,
  items: readonly UploadItem[],
  tables: ReadonlyMap<string, TargetTable>,
  pass: Pass,
): Promise<readonly ItemOutcome[]> {
  if (pass === 'each-immediate') await connection.query('SET CONSTRAINTS ALL IMMEDIATE');
  const outcomes: ItemOutcome[] = [];
  for (const { content } of items) {
    outcomes.push(
      pass === 'whole'
        ? await applyWhole(connection, content, tables)
        : await applyGuarded(connection, content, tables),
    );
  }
  await connection.query('SET CONSTRAINTS ALL IMMEDIATE');
  return outcomes;
}

/** Entries that fail before they reach the database are reported; others end the pass. */
async function applyWhole(
  connection: UploadConnection,
  content: UploadEntry | string,
  tables: ReadonlyMap<string, TargetTable>,
): Promise<ItemOutcome> {
  try {
    await applyEntry(connection, content, tables);
    return { status: 'ok' };
  } catch (error) {
    if (error instanceof Rejection) return rejected(error);
    throw error;
  }
}

async function applyGuarded(
  connection: UploadConnection,
  content: UploadEntry | string,
  tables: ReadonlyMap<string, TargetTable>,
): Promise<ItemOutcome> {
  await connection.query('SAVEPOINT sluice_entry');
  try {
    await applyEntry(connection, content, tables);
    await connection.query('RELEASE SAVEPOINT sluice_entry');
    return { status: 'ok' };
  } catch (error) {
    const rejection = rejectionOf(error);
    if (rejection === undefined) throw error;
    await connection.query('ROLLBACK TO SAVEPOINT sluice_entry');
    return rejected(rejection);
  }
}

async function applyEntry(
  connection: UploadConnection,
  content: UploadEntry | string,
  tables: ReadonlyMap<string, TargetTable>,
): Promise<void> {
  if (typeof content === 'string') throw new Rejection('UPLOAD_INVALID', content);
  const table = tables.get(content.table);
  if (table === undefined) {
    const message = `There is no table ${JSON.stringify(content.table)} that uploads may change`;
    throw new Rejection('UPLOAD_TABLE_UNKNOWN', message);
  }
  for (const { text, values } of entryStatements(content, table)) {
    const result = await connection.query(text, values);
    if ((result.rowCount ?? 0) > 0) return;
  }
}

function rejected({ code, message, sqlState }: Rejection): ItemOutcome {
  return { status: 'rejected', code, message, sqlState };
}
