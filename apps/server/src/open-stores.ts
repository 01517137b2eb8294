import { addressFilter } from '@sluice/auth';
import { lookup } from 'node:dns/promises';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { SourceError, StorageError, type Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import {
  createPostgresSource,
  openPool,
  type PostgresConnectionOptions,
} from '@sluice/source-postgres';
import type { BucketStorage } from '@sluice/storage';
import { ChangeRelay, openSqliteStorage, type ChangeTopic } from '@sluice/storage-sqlite';
import type { PostgresConnection } from './config/service-config.ts';

/** The only file that names a concrete store and a concrete source. */

/** @throws StorageError as `openSqliteStorage`, and `STORAGE_UNAVAILABLE` without its folder. */
export async function openBucketStorage(options: {
  readonly path: string;
  readonly mode: 'reader' | 'writer';
  readonly logger: Logger;
}): Promise<BucketStorage> {
  const folder = path.dirname(options.path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new StorageError(
      'STORAGE_UNAVAILABLE',
      `The folder ${folder} cannot be made: ${reason}`,
      {
        cause,
      },
    );
  }
  return openSqliteStorage(options);
}

/** What one process tells another of its storage; opaque to all but the storage. */
export type StorageChange = ChangeTopic;

/** Hears and tells changes of a storage that is open in several processes. */
export function openChangeRelay(
  path: string,
  onChange: (change: StorageChange) => void,
): ChangeRelay {
  return new ChangeRelay({ path, onChange });
}

export function openSource(
  connection: PostgresConnection,
  options: {
    readonly logger: Logger;
    /** Told of all bytes that come from the change log and from snapshots. */
    readonly onReceived?: (bytes: number) => void;
  },
): ChangeSource {
  return createPostgresSource({
    ...connectionOptions(connection),
    slotNamePrefix: connection.slotNamePrefix,
    maxPoolSize: connection.maxPoolSize,
    snapshotTimeoutMs: connection.snapshotSocketTimeoutMs,
    heartbeatIntervalMs: connection.heartbeatIntervalMs,
    logger: options.logger,
    onReceived: options.onReceived,
  });
}

export type WritePool = ReturnType<typeof openPool>;

/** Connections for those who write to the source. */
export function openWritePool(
  connection: PostgresConnection,
  options: { readonly maxConnections: number; readonly logger: Logger },
): WritePool {
  return openPool(connectionOptions(connection), options);
}

function connectionOptions(connection: PostgresConnection): PostgresConnectionOptions {
  return {
    hostname: connection.hostname,
    port: connection.port,
    username: connection.username,
    password: connection.password,
    database: connection.database,
    sslmode: connection.sslMode,
    cacert: connection.caCertificate,
    clientCertificate: connection.clientCertificate,
    clientPrivateKey: connection.clientPrivateKey,
    tlsServername: connection.tlsServerName,
    connectTimeoutMs: connection.connectTimeoutMs,
  };
}

/**
 * Refuses a source in the ranges that `reject_ip_ranges` names.
 *
 * @throws SourceError `SOURCE_UNREACHABLE`.
 */
export async function assertAllowedHost(connection: PostgresConnection): Promise<void> {
  const { hostname, rejectIpRanges } = connection;
  if (rejectIpRanges.length === 0) return;
  const isRefused = addressFilter(rejectIpRanges);
  const addresses = await lookup(hostname, { all: true }).catch((cause: unknown) => {
    throw new SourceError('SOURCE_UNREACHABLE', `The name ${hostname} has no address`, { cause });
  });
  if (!addresses.some(({ address }) => isRefused(address))) return;
  throw new SourceError(
    'SOURCE_UNREACHABLE',
    `${hostname} has an address that reject_ip_ranges refuses`,
    { remedy: 'Name another host, or change reject_ip_ranges' },
  );
}

/** @throws SourceError `SOURCE_UNREACHABLE` where no source is configured. */
export function requireSource(source: ChangeSource | undefined): ChangeSource {
  if (source) return source;
  throw new SourceError('SOURCE_UNREACHABLE', 'No source database is configured', {
    remedy: 'Name one under replication.connections',
  });
}
