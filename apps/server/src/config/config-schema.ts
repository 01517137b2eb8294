import { WRITE_API_SCHEMA } from '@sluice/write-api';
import { z } from 'zod';

/**
 * The keys of the service configuration file (spec/sync-config.md 19). Shape only: what concerns
 * several keys at once is in `cross-checks.ts`, defaults are in `normalize-config.ts`.
 * docs/config.md is generated from the `meta` texts here (see `config-reference.ts`).
 */
interface KeyText {
  readonly type: string;
  readonly meaning: string;
  readonly default?: string;
}

const key = <T extends z.ZodType>(schema: T, type: string, meaning: string, fallback?: string) =>
  schema
    .meta({
      type,
      meaning,
      ...(fallback === undefined ? {} : { default: fallback }),
    } satisfies KeyText)
    .optional();

const text = (meaning: string, fallback?: string) => key(z.string(), 'text', meaning, fallback);
const flag = (meaning: string, fallback = 'false') =>
  key(z.boolean(), 'boolean', meaning, fallback);
const list = (meaning: string, fallback?: string) =>
  key(z.array(z.string()), 'list of text', meaning, fallback);

/** An integer; also as a text of digits, because `!env NAME` gives text. */
const integer = (min: number, max: number, meaning: string, fallback?: string) =>
  key(
    z.preprocess(
      (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
      z.int().min(min).max(max),
    ),
    max === Number.MAX_SAFE_INTEGER ? `integer, at least ${min}` : `integer, ${min} to ${max}`,
    meaning,
    fallback,
  );
const ANY = Number.MAX_SAFE_INTEGER;
const MAX_RETENTION_MINUTES = 525_600;

const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  meaning: string,
  fallback?: string,
) => key(z.enum(values), values.map((value) => `\`${value}\``).join(', '), meaning, fallback);

const IGNORED = 'Accepted for compatibility; has no effect';

const connection = z.strictObject({
  type: choice(['postgresql'], 'Kind of the database; required').unwrap(),
  id: text('Identity of the connection', '`default`'),
  tag: text('Name of the connection in queries', '`default`'),
  debug_api: flag('Let the admin API run SQL on it, in transactions that cannot write'),
  uri: text('`postgresql://user:password@host:port/database`; the keys below override its parts'),
  hostname: text('Host name or address'),
  port: integer(1024, 65535, 'Port', '5432'),
  username: text('Role; needs REPLICATION, and SELECT on the tables'),
  password: text('Password of the role'),
  database: text('Database'),
  sslmode: choice(
    ['verify-full', 'verify-ca', 'disable'],
    'How the connection is encrypted; `verify-ca` needs `cacert`',
    '`verify-full`',
  ),
  cacert: text('CA certificate as PEM text'),
  client_certificate: text('Client certificate as PEM text'),
  client_private_key: text('Key of the client certificate as PEM text'),
  tls_servername: text('Name that the certificate must be issued for', 'the host name'),
  reject_ip_ranges: list('Refuse hosts in these CIDR ranges; `local` stands for local addresses'),
  slot_name_prefix: text('Start of the names of replication slots', '`powersync_`'),
  max_pool_size: integer(1, 100, 'Connections for queries', '8'),
  connect_timeout: integer(1, 3600, 'Seconds that connecting may take', '30'),
  snapshot_socket_timeout: integer(1, 3600, 'Seconds without data during a snapshot', '30'),
  heartbeat_interval_seconds: integer(5, 60, 'Pause between keepalives of an idle source', '60'),
});

const storage = z.strictObject({
  type: choice(['sqlite'], 'Kind of bucket storage; required').unwrap(),
  path: text(
    'Database file, relative to the configuration file; made if missing',
    '`sluice-data/buckets.db`',
  ),
  compact_every_seconds: integer(
    1,
    86_400,
    'Pause between looks for what can be made shorter',
    '60',
  ),
  max_pool_size: integer(1, 1000, IGNORED),
  default_storage_version: integer(1, 3, IGNORED),
});

const jsonWebKey = z.looseObject({
  kty: choice(['RSA', 'oct', 'OKP', 'EC'], 'Kind of the key; required').unwrap(),
  kid: text('Name of the key; required for RSA'),
  alg: text('Algorithm; required for oct'),
});

const clientAuth = z.strictObject({
  jwks_uri: key(
    z.union([z.string(), z.array(z.string())], { error: 'expected a URI or a list of URIs' }),
    'text or list of text',
    'Where the keys that verify tokens are fetched',
  ),
  jwks: z
    .strictObject({
      keys: key(
        z.array(jsonWebKey),
        'list of keys (RFC 7517)',
        'Static keys: RSA (RS256/384/512), oct (HS256/384/512), EC (ES256/384/512), OKP (EdDSA)',
      ),
    })
    .optional(),
  block_local_jwks: flag(
    'Refuse `jwks_uri` hosts with local addresses; use `jwks_reject_ip_ranges`',
  ),
  jwks_reject_ip_ranges: list('Refuse `jwks_uri` hosts in these CIDR ranges, or `local`'),
  supabase: flag('Accept tokens of the Supabase project whose database is the source'),
  supabase_jwt_secret: text('Legacy JWT secret of the Supabase project'),
  audience: list('Accepted `aud` values of tokens; an empty list accepts none', '`[]`'),
});

const api = z.strictObject({
  tokens: list('Tokens of the admin routes; without any they are closed', '`[]`'),
  workers: integer(
    0,
    64,
    'Processes that serve clients and share the port; 0 or 1: the main process serves them',
    '0',
  ),
  web_app: text(
    "Our own: folder with the files of a web app, served under `/` beside the service's routes",
    'none',
  ),
  parameters: z
    .strictObject({
      max_concurrent_connections: integer(
        1,
        1_000_000,
        'Open sync streams of a process, so of each worker',
        '200',
      ),
      max_data_fetch_concurrency: integer(1, 10_000, 'Parallel reads of bucket storage', '10'),
      max_buckets_per_connection: integer(1, 1_000_000, 'Buckets that one client may sync', '1000'),
      max_parameter_query_results: integer(
        1,
        1_000_000,
        'Results of parameter queries for one client',
        '1000',
      ),
      max_bytes_in_flight: integer(
        1 << 20,
        ANY,
        'Bytes sent to all clients together that have not left yet; above it large batches wait, and clients that stand still are dropped',
        '268435456',
      ),
      max_bytes_in_flight_per_connection: integer(
        32 * 1024,
        64 << 20,
        'The same of one client, save for a single larger row',
        '327680',
      ),
      slow_client_timeout_seconds: integer(
        1,
        3600,
        'How long a client may take nothing of what it was sent before it is dropped',
        '60',
      ),
      checkpoint_request_retention_minutes: integer(
        1,
        MAX_RETENTION_MINUTES,
        'Minutes that a checkpoint request is remembered after it was last made',
        '60',
      ),
      bucket_count_cache_ttl_minutes: integer(1, ANY, IGNORED, '60'),
    })
    .optional(),
});

const syncConfig = z.strictObject({
  path: text('Sync config file, relative to this file'),
  content: text('The sync config itself'),
  exit_on_error: flag(
    'End the process at start when the sync config is invalid; else what was served before is served on',
    'true',
  ),
});

const telemetry = z.strictObject({
  prometheus_port: integer(
    0,
    65535,
    'Serve metrics for Prometheus under `/metrics` on this port of `host`, to everybody who reaches it; 0 takes any free one',
    'off',
  ),
  canary_interval_seconds: integer(
    0,
    3600,
    'Our own: how often the time from a commit to clients is measured; 0 switches it off',
    '60',
  ),
  canary_threshold_ms: integer(1, 600_000, 'Our own: longer than this is reported', '5000'),
  disable_telemetry_sharing: flag(`${IGNORED}: nothing is ever reported`),
  internal_service_endpoint: text(IGNORED),
});

const probes = z.strictObject({
  use_filesystem: flag(
    'Keep files `startup`, `readiness` and `liveness` in `.probes` of the working directory, each while its probe succeeds',
  ),
  use_http: flag('Serve the routes under `/probes`', '`true` without this section'),
  use_legacy: flag('The same as `use_http`'),
});

const logging = z.strictObject({
  level: choice(
    ['silly', 'debug', 'verbose', 'http', 'info', 'warn', 'error'],
    'What is logged: this and everything more urgent',
    '`info`',
  ),
  format: choice(
    ['json', 'text'],
    'Lines for machines or for people',
    '`json` with NODE_ENV=production, else `text`',
  ),
});

const freeTexts = (meaning: string) =>
  key(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])), 'map of text', meaning);

export const CONFIG_SCHEMA = z.strictObject({
  replication: z.strictObject({ connections: z.array(connection).max(1).optional() }).optional(),
  storage: storage.optional(),
  client_auth: clientAuth.optional(),
  api: api.optional(),
  host: text('Interface to listen on', '`0.0.0.0` with NODE_ENV=production, else `127.0.0.1`'),
  port: integer(0, 65535, 'Port to listen on; 0 takes any free one', '8080'),
  sync_config: syncConfig.optional(),
  sync_rules: syncConfig
    .meta({ meaning: 'Older name of `sync_config`, with the same keys' })
    .optional(),
  migrations: z
    .strictObject({
      disable_auto_migration: flag(`${IGNORED}: storage is brought up to date when it is opened`),
    })
    .optional(),
  write_api: WRITE_API_SCHEMA.extend({ database: connection.optional() }).optional(),
  telemetry: telemetry.optional(),
  healthcheck: z.strictObject({ probes: probes.optional() }).optional(),
  system: z.strictObject({ logging: logging.optional() }).optional(),
  metadata: freeTexts('Free texts, added to the first log line'),
  parameters: freeTexts(IGNORED),
});

/** The file as written, after the check. */
export type RawConfig = z.infer<typeof CONFIG_SCHEMA>;
export type RawConnection = z.infer<typeof connection>;
