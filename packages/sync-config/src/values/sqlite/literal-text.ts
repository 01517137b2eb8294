import type { SqliteValue } from '@sluice/model';
import { beforeNul } from './characters.ts';
import { sqliteRealText } from './real-text.ts';

/** `quote(x)`: the SQL literal of a value. An infinite REAL is written as one that overflows. */
export function formatLiteral(value: SqliteValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return `'${beforeNul(value).replaceAll("'", "''")}'`;
  if (typeof value === 'object') return `X'${Buffer.from(value).toString('hex').toUpperCase()}'`;
  if (Number.isFinite(value)) return sqliteRealText(value);
  return value > 0 ? '9.0e+999' : '-9.0e+999';
}
