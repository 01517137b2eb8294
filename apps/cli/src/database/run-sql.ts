import { AppError } from '@sluice/base';
import pg from 'pg';

export interface SqlResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly columns: readonly string[];
  /** Values as PostgreSQL prints them; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Runs one text of SQL with a connection of its own.
 *
 * @throws AppError `SOURCE_UNREACHABLE`, or `SOURCE_QUERY_FAILED` with the words of the database.
 */
export async function runSql(
  connectionString: string,
  text: string,
): Promise<readonly SqlResult[]> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: { getTypeParser: () => (value: string) => value },
  });
  client.on('error', () => {}); // what a query rejects with says the same
  try {
    await client.connect();
  } catch (cause) {
    const message = `The database cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new AppError('SOURCE_UNREACHABLE', message, { cause });
  }
  try {
    const answer = await client.query<(string | null)[]>({ text, rowMode: 'array' });
    const results = Array.isArray(answer) ? (answer as (typeof answer)[]) : [answer];
    return results.map(({ command, rowCount, fields, rows }) => ({
      command,
      rowCount,
      columns: fields.map((field) => field.name),
      rows,
    }));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('SOURCE_QUERY_FAILED', `The database answered: ${message}`, { cause });
  } finally {
    await client.end();
  }
}
