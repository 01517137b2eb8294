import type { PublicOrSharedKey } from '@sluice/auth';
import type { TokenKeys, TokensConfig, WriteApiConfig } from '@sluice/write-api';

/**
 * The service configuration after reading: every default filled in, every value checked.
 * The file format is docs/config.md (spec/sync-config.md 19); `loadServiceConfig` reads it.
 */
export interface ServiceConfig {
  /** Undefined: an API-only process, or nothing to replicate yet. */
  readonly source: PostgresConnection | undefined;
  readonly storage: SqliteStorageConfig;
  readonly clientAuth: ClientAuthConfig;
  /** Undefined: tokens are issued elsewhere. */
  readonly tokens: TokenSettings | undefined;
  readonly api: ApiConfig;
  /** Interface to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly syncConfig: SyncConfigSource | undefined;
  /** Undefined: the service takes no uploads. */
  readonly writeApi: ServedWriteApiConfig | undefined;
  readonly probes: ProbeConfig;
  readonly telemetry: TelemetryConfig;
  readonly logging: LoggingConfig;
  /** Free texts, passed on to logs. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ServedWriteApiConfig extends WriteApiConfig {
  /** Undefined: the source. */
  readonly database: PostgresConnection | undefined;
}

export interface PostgresConnection {
  readonly type: 'postgresql';
  readonly id: string;
  readonly tag: string;
  /** Whether the admin API may run (reading) SQL on it. */
  readonly debugApi: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: 'verify-full' | 'verify-ca' | 'disable';
  /** PEM texts. */
  readonly caCertificate?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientPrivateKey?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly rejectIpRanges: readonly string[];
  readonly slotNamePrefix: string;
  readonly maxPoolSize: number;
  readonly connectTimeoutMs: number;
  readonly snapshotSocketTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

export interface SqliteStorageConfig {
  readonly type: 'sqlite';
  /** Absolute, or relative to the working directory. Made if it does not exist. */
  readonly path: string;
  readonly compactEverySeconds: number;
}

export interface ClientAuthConfig {
  /** A key as in RFC 7517; its form was checked. */
  readonly keys: readonly PublicOrSharedKey[];
  readonly jwksUris: readonly string[];
  /** CIDR ranges, or `local`. */
  readonly jwksRejectIpRanges: readonly string[];
  readonly blockLocalJwks: boolean;
  readonly supabase: boolean;
  readonly supabaseJwtSecret?: string | undefined;
  readonly audience: readonly string[];
}

/** `write_api.tokens` and `write_api.sign_in`, with what they take from elsewhere. */
export interface TokenSettings {
  readonly config: TokensConfig;
  readonly keys: TokenKeys;
  /** Of the tokens that are issued. */
  readonly audience: readonly string[];
}

export interface ApiConfig {
  /** Bearer tokens of the admin routes; empty: they are closed. */
  readonly tokens: readonly string[];
  /** Processes that serve clients beside the main one; below 2 the main one serves them itself. */
  readonly workers: number;
  readonly maxConcurrentConnections: number;
  readonly maxDataFetchConcurrency: number;
  readonly maxBytesInFlight: number;
  readonly maxBytesInFlightPerConnection: number;
  readonly slowClientTimeoutMs: number;
  readonly maxBucketsPerConnection: number;
  readonly maxParameterQueryResults: number;
  readonly checkpointRequestRetentionMinutes: number;
  /** Absolute; undefined for none. */
  readonly webApp: string | undefined;
}

export interface SyncConfigSource {
  readonly text: string;
  /** Where `text` was read from, for messages; undefined for inline text. */
  readonly path?: string | undefined;
  /** Whether an invalid sync config ends the process at the start. */
  readonly exitOnError: boolean;
}

export interface ProbeConfig {
  readonly http: boolean;
  /** Files in `.probes` of the working directory. */
  readonly filesystem: boolean;
}

export interface TelemetryConfig {
  /** Undefined: no metrics are served; 0: any free port. */
  readonly prometheusPort: number | undefined;
  /** 0: off. */
  readonly canaryIntervalMs: number;
  readonly canaryThresholdMs: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggingConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
}
