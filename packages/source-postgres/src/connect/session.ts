/**
 * Settings that every session needs: what PostgreSQL writes must not depend on the role, the
 * database or the server, and a change stream and a snapshot must write the same.
 *
 * `search_path` is empty, so that names are resolved (and types printed) with their schema.
 * `synchronous_commit = local` lets a heartbeat reach the log at once, whatever the default is.
 */
const SESSION: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  search_path: '',
  synchronous_commit: 'local',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/** One line of SQL that sets up a session; `statementTimeoutMs` 0 means none. */
export function sessionSql(statementTimeoutMs: number): string {
  const settings = { ...SESSION, statement_timeout: String(statementTimeoutMs) };
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = '${value}';`)
    .join(' ');
}

export const APPLICATION_NAME = 'sluice';
