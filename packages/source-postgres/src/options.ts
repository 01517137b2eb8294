import type { Clock, Logger } from '@sluice/base';

/** Connection keys of a `postgresql` source (spec/sync-config.md 19.3). */
export interface PostgresConnectionOptions {
  /** `postgresql://user:password@host:port/database`; keys given beside it win. */
  readonly uri?: string | undefined;
  readonly hostname?: string | undefined;
  /** Default 5432. */
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
  /** Default `verify-full`. `verify-ca` skips the host name and needs `cacert`. */
  readonly sslmode?: 'verify-full' | 'verify-ca' | 'disable' | undefined;
  /** PEM. Absent: the certificates that Node trusts. */
  readonly cacert?: string | undefined;
  /** PEM; together with `clientPrivateKey`. */
  readonly clientCertificate?: string | undefined;
  readonly clientPrivateKey?: string | undefined;
  /** The name that the server's certificate must carry, where it differs from the host. */
  readonly tlsServername?: string | undefined;
  /** Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
}

export interface PostgresSourceOptions extends PostgresConnectionOptions {
  /** Lower-case letters, digits and underscores, at most 30. Default `powersync_`. */
  readonly slotNamePrefix?: string | undefined;
  /** Default `powersync`. */
  readonly publicationName?: string | undefined;
  /** Connections for queries, at most; default 8. Streams and snapshots have their own. */
  readonly maxPoolSize?: number | undefined;
  /** How long one ordinary query may take; default 30,000. */
  readonly queryTimeoutMs?: number | undefined;
  /** How long a snapshot may wait for the next bytes; default 60,000. */
  readonly snapshotTimeoutMs?: number | undefined;
  /**
   * How long creating a slot may take; default 600,000. PostgreSQL first waits for the end of all
   * transactions that run at that moment.
   */
  readonly slotTimeoutMs?: number | undefined;
  /** How long the change stream may be silent although answers were asked for; default 60,000. */
  readonly streamTimeoutMs?: number | undefined;
  /** An idle stream writes a harmless log record this often; default 60,000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Told of all bytes that come from the change log and from snapshots, as they come. */
  readonly onReceived?: ((bytes: number) => void) | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
}
