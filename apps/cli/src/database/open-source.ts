import type { PostgresConnection } from '@sluice/server';
import type { ChangeSource } from '@sluice/source';
import { createPostgresSource } from '@sluice/source-postgres';
import { sourceUrl } from './connection-url.ts';

/** A connection string as people type it, or the connection of a service configuration. */
export type SourceTarget = string | PostgresConnection;

/** The database as a change source. Connects at first use. */
export function openSource(target: SourceTarget): ChangeSource {
  if (typeof target === 'string') return createPostgresSource({ uri: sourceUrl(target) });
  const { hostname, port, username, password, database, slotNamePrefix, connectTimeoutMs } = target;
  return createPostgresSource({
    ...{ hostname, port, username, password, database, slotNamePrefix, connectTimeoutMs },
    sslmode: target.sslMode,
    cacert: target.caCertificate,
    clientCertificate: target.clientCertificate,
    clientPrivateKey: target.clientPrivateKey,
    tlsServername: target.tlsServerName,
  });
}
