import path from 'node:path';
import { tokenKeys, writeApiConfig } from '@sluice/write-api';
import type { RawConfig, RawConnection } from './config-schema.ts';
import type { Environment } from './env-tag.ts';
import { parsePostgresUri, type PostgresUriParts } from './postgres-uri.ts';
import type {
  ApiConfig,
  ClientAuthConfig,
  LoggingConfig,
  LogLevel,
  PostgresConnection,
  ProbeConfig,
  ServedWriteApiConfig,
  ServiceConfig,
  SyncConfigSource,
  TelemetryConfig,
  TokenSettings,
} from './service-config.ts';

export interface NormalizeOptions {
  /** Where relative paths of the file begin. */
  readonly baseDir: string;
  readonly env: Environment;
  readonly syncConfig: SyncConfigSource | undefined;
}

/** Fills in every default of a checked file (spec/sync-config.md 19). */
export function normalizeConfig(raw: RawConfig, options: NormalizeOptions): ServiceConfig {
  const connection = raw.replication?.connections?.[0];
  const isProduction = options.env['NODE_ENV'] === 'production';
  return {
    source: connection && postgresConnection(connection),
    storage: {
      type: 'sqlite',
      path: path.resolve(options.baseDir, raw.storage?.path ?? 'sluice-data/buckets.db'),
      compactEverySeconds: raw.storage?.compact_every_seconds ?? 60,
    },
    clientAuth: clientAuth(raw.client_auth),
    tokens: tokenSettings(raw, options),
    api: api(raw.api, options.baseDir),
    host: raw.host ?? (isProduction ? '0.0.0.0' : '127.0.0.1'),
    port: raw.port ?? 8080,
    syncConfig: options.syncConfig,
    writeApi: writeApi(raw.write_api, options),
    probes: probes(raw.healthcheck?.probes),
    telemetry: telemetry(raw.telemetry),
    logging: logging(raw.system?.logging, isProduction),
    metadata: Object.fromEntries(
      Object.entries(raw.metadata ?? {}).map(([name, value]) => [name, String(value)]),
    ),
  };
}

const NO_PARTS: PostgresUriParts = {
  hostname: undefined,
  port: undefined,
  username: undefined,
  password: undefined,
  database: undefined,
  sslmode: undefined,
};

function postgresConnection(raw: RawConnection): PostgresConnection {
  const uri = raw.uri === undefined ? undefined : parsePostgresUri(raw.uri);
  const parts = uri?.kind === 'parts' ? uri.parts : NO_PARTS;
  return {
    type: 'postgresql',
    id: raw.id ?? 'default',
    tag: raw.tag ?? 'default',
    debugApi: raw.debug_api ?? false,
    hostname: raw.hostname ?? parts.hostname ?? '',
    port: raw.port ?? parts.port ?? 5432,
    username: raw.username ?? parts.username ?? '',
    password: raw.password ?? parts.password ?? '',
    database: raw.database ?? parts.database ?? '',
    sslMode: raw.sslmode ?? parts.sslmode ?? 'verify-full',
    caCertificate: raw.cacert,
    clientCertificate: raw.client_certificate,
    clientPrivateKey: raw.client_private_key,
    tlsServerName: raw.tls_servername,
    rejectIpRanges: raw.reject_ip_ranges ?? [],
    slotNamePrefix: raw.slot_name_prefix ?? 'powersync_',
    maxPoolSize: raw.max_pool_size ?? 8,
    connectTimeoutMs: (raw.connect_timeout ?? 30) * 1000,
    snapshotSocketTimeoutMs: (raw.snapshot_socket_timeout ?? 30) * 1000,
    heartbeatIntervalMs: (raw.heartbeat_interval_seconds ?? 60) * 1000,
  };
}

const DEFAULT_AUDIENCE = ['sluice'];

function tokenSettings(raw: RawConfig, options: NormalizeOptions): TokenSettings | undefined {
  const config = raw.write_api && writeApiConfig(raw.write_api).tokens;
  if (config === undefined) return undefined;
  const audience = config.audience ?? raw.client_auth?.audience ?? [];
  return {
    config,
    keys: tokenKeys(config.keys, options),
    audience: audience.length > 0 ? audience : DEFAULT_AUDIENCE,
  };
}

function writeApi(
  raw: RawConfig['write_api'],
  { baseDir }: NormalizeOptions,
): ServedWriteApiConfig | undefined {
  if (raw === undefined) return undefined;
  const config = writeApiConfig(raw);
  const { functions } = config;
  return {
    ...config,
    functions: functions && path.resolve(baseDir, functions),
    database: raw.database && postgresConnection(raw.database),
  };
}

function clientAuth(raw: RawConfig['client_auth']): ClientAuthConfig {
  const uris = raw?.jwks_uri;
  return {
    keys: raw?.jwks?.keys ?? [],
    jwksUris: typeof uris === 'string' ? [uris] : (uris ?? []),
    jwksRejectIpRanges: raw?.jwks_reject_ip_ranges ?? [],
    blockLocalJwks: raw?.block_local_jwks ?? false,
    supabase: raw?.supabase ?? false,
    supabaseJwtSecret: raw?.supabase_jwt_secret,
    audience: raw?.audience ?? [],
  };
}

function api(raw: RawConfig['api'], baseDir: string): ApiConfig {
  const limits = raw?.parameters;
  return {
    tokens: raw?.tokens ?? [],
    workers: raw?.workers ?? 0,
    maxConcurrentConnections: limits?.max_concurrent_connections ?? 200,
    maxDataFetchConcurrency: limits?.max_data_fetch_concurrency ?? 10,
    maxBytesInFlight: limits?.max_bytes_in_flight ?? 256 << 20,
    maxBytesInFlightPerConnection: limits?.max_bytes_in_flight_per_connection ?? 320 << 10,
    slowClientTimeoutMs: (limits?.slow_client_timeout_seconds ?? 60) * 1000,
    maxBucketsPerConnection: limits?.max_buckets_per_connection ?? 1000,
    maxParameterQueryResults: limits?.max_parameter_query_results ?? 1000,
    checkpointRequestRetentionMinutes: limits?.checkpoint_request_retention_minutes ?? 60,
    webApp: raw?.web_app === undefined ? undefined : path.resolve(baseDir, raw.web_app),
  };
}

type RawProbes = NonNullable<RawConfig['healthcheck']>['probes'];

/** Giving the section makes everything that it does not name false (spec/sync-config.md 19.2). */
function probes(raw: RawProbes): ProbeConfig {
  if (raw === undefined) return { http: true, filesystem: false };
  return {
    http: (raw.use_http ?? false) || (raw.use_legacy ?? false),
    filesystem: raw.use_filesystem ?? false,
  };
}

function telemetry(raw: RawConfig['telemetry']): TelemetryConfig {
  return {
    prometheusPort: raw?.prometheus_port,
    canaryIntervalMs: (raw?.canary_interval_seconds ?? 60) * 1000,
    canaryThresholdMs: raw?.canary_threshold_ms ?? 5000,
  };
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  silly: 'debug',
  debug: 'debug',
  verbose: 'debug',
  http: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
};

type RawLogging = NonNullable<RawConfig['system']>['logging'];

function logging(raw: RawLogging, isProduction: boolean): LoggingConfig {
  return {
    level: LEVELS[raw?.level ?? 'info'] ?? 'info',
    format: raw?.format ?? (isProduction ? 'json' : 'text'),
  };
}
