import type { SqliteType, SqliteValue } from '@sluice/model';
import { dateTimeFormat } from './date-time.ts';
import { malformedValue } from './malformed-value.ts';
import type { ScalarKind } from './pg-type.ts';
import type { TypeOptions } from './type-options.ts';

/** Maps the text form that PostgreSQL writes for a type to the value that is synced. */
export type DecodeText = (text: string) => SqliteValue;

/** The type that values of each kind arrive as (spec/sync-config.md 15.2). */
export const SQLITE_TYPE_OF_SCALAR: Readonly<Record<ScalarKind, SqliteType>> = {
  bool: 'integer',
  integer: 'integer',
  float: 'real',
  text: 'text',
  bytea: 'blob',
  json: 'text',
  date: 'text',
  time: 'text',
  timestamp: 'text',
  timestamptz: 'text',
  lsn: 'text',
};

/** The decoder of a base type's text form (spec/sync-config.md 15.1, 15.2). */
export function scalarTextDecoder(scalar: ScalarKind, options: TypeOptions): DecodeText {
  switch (scalar) {
    case 'bool':
      return decodeBool;
    case 'integer':
      return decodeInteger;
    case 'float':
      return decodeFloat;
    case 'text':
    case 'json':
      return (text) => text;
    case 'bytea':
      return decodeBytea;
    case 'lsn':
      return decodeLsn;
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return dateTimeFormat(options)[scalar];
  }
}

function decodeBool(text: string): bigint {
  if (text === 't') return 1n;
  if (text === 'f') return 0n;
  throw malformedValue('bool');
}

const INTEGER = /^-?\d{1,20}$/;

function decodeInteger(text: string): bigint {
  if (!INTEGER.test(text)) throw malformedValue('integer');
  return BigInt(text);
}

/** SQLite has no NaN and JSON no infinity, so both become null. */
export function decodeFloat(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

const HEX_BYTEA = /^\\x(?:[0-9a-f]{2})*$/i;
const ESCAPED = /\\(\\|[0-3][0-7]{2})/g;

function decodeBytea(text: string): Uint8Array {
  if (text.startsWith('\\x')) {
    if (!HEX_BYTEA.test(text)) throw malformedValue('bytea');
    return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  }
  // The form of servers where `bytea_output` is `escape`.
  const latin1 = text.replace(ESCAPED, (_, code: string) =>
    code === '\\' ? '\\' : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return new Uint8Array(Buffer.from(latin1, 'latin1'));
}

function decodeLsn(text: string): string {
  const slash = text.indexOf('/');
  if (slash < 1) throw malformedValue('pg_lsn');
  return `${text.slice(0, slash).padStart(8, '0')}/${text.slice(slash + 1).padStart(8, '0')}`;
}
