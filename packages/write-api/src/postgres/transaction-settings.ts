import type { Caller } from '../pipeline/row-write.ts';
import type { Statement } from './statement-run.ts';

/**
 * What a transaction must not take from its session: values are written and read as replication does,
 * and functions see who writes: `sluice.user_id` ours, `request.jwt.*` as PostgREST sets them.
 */
export function transactionSettings(caller: Caller, statementTimeoutMs: number): Statement {
  const userId = caller.userId.replaceAll('\0', '\uFFFD');
  return {
    text: SETTINGS,
    values: [String(statementTimeoutMs), userId, JSON.stringify(caller.claims)],
  };
}

const SETTINGS = `SELECT ${[
  "'TimeZone', 'UTC'",
  "'DateStyle', 'ISO, MDY'",
  "'IntervalStyle', 'postgres'",
  "'bytea_output', 'hex'",
  "'extra_float_digits', '1'",
  "'statement_timeout', $1",
  "'sluice.user_id', $2",
  "'request.jwt.claim.sub', $2",
  "'request.jwt.claims', $3",
]
  .map((setting) => `set_config(${setting}, true)`)
  .join(', ')}`;
