import { AppError, SourceError, type ErrorCode } from '@sluice/base';
import type { ConnectionSettings } from './settings.ts';

/** What an error of the server tells; the fields of an ErrorResponse that carry no row data. */
export interface ServerError {
  readonly sqlState: string;
  readonly message: string;
}

/** Where the error happened, for people. Never holds the password. */
export type ErrorPlace = Pick<ConnectionSettings, 'host' | 'port' | 'user' | 'database'>;

/**
 * Names the failure behind what a connection threw: a socket error, a TLS error, or an error
 * message of the server. An `AppError` is returned as it is.
 */
export function toSourceError(error: unknown, place: ErrorPlace, doing: string): AppError {
  if (error instanceof AppError) return error;
  const server = serverError(error);
  const code = server ? codeOfServerError(server) : codeOfSocketError(error);
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new SourceError(code, `${AT_DOOR.has(code) ? atDoor(place) : doing} failed: ${reason}`, {
    cause: error,
    details: {
      host: place.host,
      port: place.port,
      user: place.user,
      database: place.database,
      ...(server ? { sqlState: server.sqlState, serverMessage: server.message } : {}),
    },
    remedy: remedyFor(code, reason, place),
  });
}

/** Failures to get in: what one wanted to do there says nothing, and would make many of one. */
const AT_DOOR = new Set<ErrorCode>([
  'SOURCE_UNREACHABLE',
  'SOURCE_AUTH_FAILED',
  'SOURCE_DATABASE_MISSING',
  'SOURCE_TLS',
]);

function atDoor({ host, port, user, database }: ErrorPlace): string {
  return `Connecting to ${database} at ${host}:${port} as ${user}`;
}

/** The server's own error if this is one: pg's `DatabaseError` and ours carry a SQLSTATE. */
export function serverError(error: unknown): ServerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, severity } = error as Error & { code?: unknown; severity?: unknown };
  if (typeof code !== 'string' || typeof severity !== 'string') return undefined;
  return { sqlState: code, message: error.message };
}

const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '28000': 'SOURCE_AUTH_FAILED',
  '28P01': 'SOURCE_AUTH_FAILED',
  '3D000': 'SOURCE_DATABASE_MISSING',
  '3F000': 'SOURCE_TABLE_CHANGED', // its schema was renamed or dropped
  '42501': 'SOURCE_PERMISSION_DENIED',
  '42703': 'SOURCE_TABLE_CHANGED', // a column is no more
  '42P01': 'SOURCE_TABLE_CHANGED', // the table is no more
  '53400': 'SOURCE_SLOTS_EXHAUSTED', // all replication slots are in use
  '55006': 'SOURCE_SLOT_IN_USE',
  '57014': 'SOURCE_TIMEOUT', // statement timeout
  '57P01': 'SOURCE_CONNECTION_LOST',
  '57P02': 'SOURCE_CONNECTION_LOST',
  '57P03': 'SOURCE_UNREACHABLE', // starting up or shutting down
  '57P04': 'SOURCE_DATABASE_MISSING', // dropped while connected
  '57P05': 'SOURCE_CONNECTION_LOST',
  '58P01': 'SOURCE_SLOT_LOST', // the WAL segment has been removed
};

/** How versions 14 to 18 say that a slot was invalidated. */
const SLOT_INVALIDATED = /(cannot read from|can no longer (get changes from|access)) .*slot/;

const REPLICATION_DENIED = /replication (slot|role|connection)|wal ?sender/i;

function codeOfServerError({ sqlState, message }: ServerError): ErrorCode {
  switch (sqlState) {
    case '53300': // too_many_connections has two causes
      return message.includes('max_wal_senders') ? 'SOURCE_SLOTS_EXHAUSTED' : 'SOURCE_UNREACHABLE';
    case '42501':
      return REPLICATION_DENIED.test(message)
        ? 'SOURCE_ROLE_NO_REPLICATION'
        : 'SOURCE_PERMISSION_DENIED';
    case '42704':
      if (message.includes('publication')) return 'SOURCE_PUBLICATION_MISSING';
      return message.includes('replication slot') ? 'SOURCE_SLOT_LOST' : 'SOURCE_QUERY_FAILED';
    case '55000':
      if (message.includes('wal_level')) return 'SOURCE_WAL_LEVEL';
      if (message.includes('max_replication_slots')) return 'SOURCE_SLOTS_EXHAUSTED';
      return SLOT_INVALIDATED.test(message) ? 'SOURCE_SLOT_LOST' : 'SOURCE_QUERY_FAILED';
    default:
      return BY_SQLSTATE[sqlState] ?? classCode(sqlState);
  }
}

function classCode(sqlState: string): ErrorCode {
  if (sqlState.startsWith('08')) return 'SOURCE_CONNECTION_LOST';
  if (sqlState.startsWith('53')) return 'SOURCE_UNREACHABLE';
  return 'SOURCE_QUERY_FAILED';
}

const UNREACHABLE = new Set(
  (
    'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EHOSTDOWN ' +
    'ENOENT EACCES EADDRNOTAVAIL EINVAL'
  ).split(' '),
);

const TLS_CODE = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO)/;
const TLS_MESSAGE = /SSL connection|certificate|TLS/;

function codeOfSocketError(error: unknown): ErrorCode {
  const { code, message } = facts(error);
  if (UNREACHABLE.has(code)) return 'SOURCE_UNREACHABLE';
  if (TLS_CODE.test(code) || TLS_MESSAGE.test(message)) return 'SOURCE_TLS';
  if (message === 'timeout expired' || message.includes('connection timeout')) {
    return 'SOURCE_UNREACHABLE';
  }
  if (code === 'ETIMEDOUT' || message === 'Query read timeout') return 'SOURCE_TIMEOUT';
  if (code !== '' || /terminated|not queryable|closed/.test(message)) {
    return 'SOURCE_CONNECTION_LOST';
  }
  if (message.includes('SASL') || message.includes('password')) return 'SOURCE_AUTH_FAILED';
  return 'SOURCE_QUERY_FAILED';
}

/** Several addresses of one name fail together, as an AggregateError whose first tells enough. */
function facts(error: unknown): { code: string; message: string } {
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  if (!(first instanceof Error)) return { code: '', message: String(first) };
  const code = (first as NodeJS.ErrnoException).code;
  return { code: typeof code === 'string' ? code : '', message: first.message };
}

function remedyFor(code: ErrorCode, reason: string, place: ErrorPlace): string | undefined {
  const { host, port, user, database } = place;
  const remedies: Partial<Record<ErrorCode, string>> = {
    SOURCE_UNREACHABLE: `Check that PostgreSQL runs at ${host}:${port} and that a firewall lets this machine in`,
    SOURCE_AUTH_FAILED: reason.includes('no encryption')
      ? 'Allow the user in pg_hba.conf, or connect with sslmode verify-full'
      : `Correct the password of user ${user}, or allow the user in pg_hba.conf`,
    SOURCE_DATABASE_MISSING: `Create it (CREATE DATABASE ${database}), or correct the name`,
    SOURCE_TLS: reason.includes('does not support SSL')
      ? 'Switch ssl on in postgresql.conf, or set sslmode: disable where the network is trusted'
      : 'Give the CA certificate as cacert, and the name in the certificate as tls_servername',
    SOURCE_ROLE_NO_REPLICATION: `Run as superuser: ALTER ROLE "${user}" REPLICATION`,
  };
  return remedies[code];
}
