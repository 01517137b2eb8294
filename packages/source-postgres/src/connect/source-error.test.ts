import { expect, test } from 'vitest';
import { ServerMessageError } from './frames.ts';
import { toSourceError } from './source-error.ts';

const place = { host: 'db.example', port: 5432, user: 'sync', database: 'app' };

const server = (sqlState: string, message: string) =>
  new ServerMessageError(new Map(Object.entries({ C: sqlState, M: message, V: 'ERROR' })));
const socket = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

// Messages as PostgreSQL 14 to 18 and Node write them.
test.each<[Error, string]>([
  [server('28P01', 'password authentication failed for user "sync"'), 'SOURCE_AUTH_FAILED'],
  [server('28000', 'no pg_hba.conf entry for host "10.0.0.1"'), 'SOURCE_AUTH_FAILED'],
  [server('3D000', 'database "app" does not exist'), 'SOURCE_DATABASE_MISSING'],
  [server('42501', 'permission denied for table replication_log'), 'SOURCE_PERMISSION_DENIED'],
  [
    server('42501', 'must be superuser or replication role to use replication slots'),
    'SOURCE_ROLE_NO_REPLICATION',
  ],
  [server('42501', 'permission denied to use replication slots'), 'SOURCE_ROLE_NO_REPLICATION'],
  [server('42501', 'permission denied to start WAL sender'), 'SOURCE_ROLE_NO_REPLICATION'],
  [server('53400', 'all replication slots are in use'), 'SOURCE_SLOTS_EXHAUSTED'],
  [
    server(
      '53300',
      'number of requested standby connections exceeds max_wal_senders (currently 1)',
    ),
    'SOURCE_SLOTS_EXHAUSTED',
  ],
  [server('53300', 'sorry, too many clients already'), 'SOURCE_UNREACHABLE'],
  [server('57P03', 'the database system is starting up'), 'SOURCE_UNREACHABLE'],
  [
    server('57P01', 'terminating connection due to administrator command'),
    'SOURCE_CONNECTION_LOST',
  ],
  [server('57014', 'canceling statement due to statement timeout'), 'SOURCE_TIMEOUT'],
  [server('55006', 'replication slot "a" is active for PID 7'), 'SOURCE_SLOT_IN_USE'],
  [server('42704', 'replication slot "a" does not exist'), 'SOURCE_SLOT_LOST'],
  [server('55000', 'cannot read from logical replication slot "a"'), 'SOURCE_SLOT_LOST'],
  [server('55000', 'can no longer get changes from replication slot "a"'), 'SOURCE_SLOT_LOST'],
  [server('55000', 'can no longer access replication slot "a"'), 'SOURCE_SLOT_LOST'],
  [server('42704', 'publication "powersync" does not exist'), 'SOURCE_PUBLICATION_MISSING'],
  [server('55000', 'logical decoding requires wal_level >= logical'), 'SOURCE_WAL_LEVEL'],
  [server('55000', 'logical decoding requires "wal_level" >= "logical"'), 'SOURCE_WAL_LEVEL'],
  [server('58P01', 'requested WAL segment 0001 has already been removed'), 'SOURCE_SLOT_LOST'],
  [server('42P01', 'relation "x" does not exist'), 'SOURCE_TABLE_CHANGED'],
  [socket('ECONNREFUSED'), 'SOURCE_UNREACHABLE'],
  [socket('ENOTFOUND'), 'SOURCE_UNREACHABLE'],
  [new AggregateError([socket('ECONNREFUSED'), socket('ECONNREFUSED')]), 'SOURCE_UNREACHABLE'],
  [new Error('timeout expired'), 'SOURCE_UNREACHABLE'],
  [socket('ECONNRESET'), 'SOURCE_CONNECTION_LOST'],
  [new Error('Connection terminated unexpectedly'), 'SOURCE_CONNECTION_LOST'],
  [new Error('Query read timeout'), 'SOURCE_TIMEOUT'],
  [socket('DEPTH_ZERO_SELF_SIGNED_CERT'), 'SOURCE_TLS'],
  [socket('ERR_TLS_CERT_ALTNAME_INVALID'), 'SOURCE_TLS'],
  [new Error('The server does not support SSL connections'), 'SOURCE_TLS'],
])('%s is %s', (error, code) => {
  const named = toSourceError(error, place, 'Testing');
  expect(named.code).toBe(code);
  expect(named.cause).toBe(error);
  expect(named.details).toMatchObject(place);
  expect(toSourceError(named, place, 'Again')).toBe(named);
});
