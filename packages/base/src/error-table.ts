import { entry, RETRY, REJECTED, UNAUTHORIZED, type ErrorEntry } from './error-entry.ts';
import { WRITE_API_ERRORS } from './write-api-errors.ts';

/**
 * The one table of failures. docs/errors.md is generated from it (`npm run docs`), and a tidy test
 * keeps the two equal. Codes are stable: never reused, never renamed.
 */
export const ERROR_TABLE = {
  INTERNAL_BUG: entry(
    'An assumption of the code did not hold',
    'Report it with the log lines around it',
  ),

  CONFIG_FILE_MISSING: entry(
    'A configuration file could not be read',
    'Check the path and the permissions of the file',
  ),
  CONFIG_SYNTAX: entry(
    'A configuration file is not valid YAML',
    'Correct the syntax at the line named',
  ),
  CONFIG_UNKNOWN_KEY: entry(
    'A configuration key is not known',
    'Remove it, or correct its spelling',
  ),
  CONFIG_INVALID_VALUE: entry(
    'A configuration value is missing or not allowed',
    'Correct the value at the line named',
  ),
  CONFIG_ENV_MISSING: entry(
    'An environment variable that the configuration names is not set',
    'Set the variable, or remove the !env tag',
  ),
  CONFIG_ENV_FORBIDDEN: entry(
    'A configuration names an environment variable that it may not read',
    'Use a variable whose name starts with PS_',
  ),
  CONFIG_SYNC_INVALID: entry(
    'The sync config has errors and cannot be deployed',
    'Correct the errors listed; `sluice validate` shows them with their place',
    { httpStatus: 422 },
  ),
  CONFIG_WRITE_RULES: entry(
    'The rules of `write_api` have errors',
    'Correct the errors listed; `sluice validate --config FILE` shows them with their place',
  ),
  CONFIG_NO_PREVIOUS: entry(
    'There is no sync config to go back to',
    'Deploy the sync config that you want',
    REJECTED,
  ),

  SOURCE_UNREACHABLE: entry(
    'The source database cannot be reached',
    'Check host, port and firewall, and that the database is running',
    RETRY,
  ),
  SOURCE_AUTH_FAILED: entry(
    'The source database refused the user name or password',
    'Correct the credentials, or allow the user in pg_hba.conf',
    RETRY,
  ),
  SOURCE_DATABASE_MISSING: entry(
    'The source database does not exist',
    'Create the database, or correct its name',
    RETRY,
  ),
  SOURCE_TLS: entry(
    'The encrypted connection to the source database could not be established',
    'Check sslmode, the CA certificate and the host name it was issued for',
    RETRY,
  ),
  SOURCE_CONNECTION_LOST: entry(
    'The connection to the source database ended',
    'Nothing to do: the service reconnects by itself',
    RETRY,
  ),
  SOURCE_TIMEOUT: entry(
    'The source database did not answer in time',
    'Check the load of the database and the network between',
    RETRY,
  ),
  SOURCE_VERSION_UNSUPPORTED: entry(
    'The version of the source database is not supported',
    'Use PostgreSQL 14 or newer',
    RETRY,
  ),
  SOURCE_WAL_LEVEL: entry(
    'The source database does not write logical change records',
    'Set wal_level = logical and restart the database',
    RETRY,
  ),
  SOURCE_ROLE_NO_REPLICATION: entry(
    'The database role may not replicate',
    'Grant it: ALTER ROLE <role> REPLICATION',
    RETRY,
  ),
  SOURCE_PERMISSION_DENIED: entry(
    'The database role may not read a table or catalog that is needed',
    'Grant SELECT on the table to the role',
    RETRY,
  ),
  SOURCE_PUBLICATION_MISSING: entry(
    'The publication does not exist',
    'Create it: CREATE PUBLICATION powersync FOR ALL TABLES',
    RETRY,
  ),
  SOURCE_PUBLICATION_INCOMPLETE: entry(
    'The publication does not publish every kind of change',
    "Run: ALTER PUBLICATION powersync SET (publish = 'insert, update, delete, truncate')",
    RETRY,
  ),
  SOURCE_PUBLICATION_VIA_ROOT: entry(
    'The publication publishes partitions under the name of their root',
    'Run: ALTER PUBLICATION powersync SET (publish_via_partition_root = false)',
    RETRY,
  ),
  SOURCE_SLOTS_EXHAUSTED: entry(
    'All replication slots or WAL senders of the source database are in use',
    'Raise max_replication_slots and max_wal_senders, or drop a slot that is not needed',
    RETRY,
  ),
  SOURCE_SLOT_IN_USE: entry(
    'Another process reads from the replication slot',
    'Stop the other process, or wait until the database notices that it is gone',
    RETRY,
  ),
  SOURCE_SLOT_LOST: entry(
    'The replication slot is gone or was invalidated, so changes are missing',
    'Nothing to do: the service reads the source again; raise max_slot_wal_keep_size if it recurs',
    { logLevel: 'warn' },
  ),
  SOURCE_LOG_BUDGET_LOW: entry(
    'Half of the change log that the source keeps for the service is used up',
    'Look at the replication lag and at what slows it; raise max_slot_wal_keep_size if the load is normal',
    { logLevel: 'warn' },
  ),
  SOURCE_LOG_BUDGET_SPENT: entry(
    'The change log that the source keeps for the service is nearly or wholly used up',
    'Raise max_slot_wal_keep_size now (ALTER SYSTEM, then pg_reload_conf()); a slot that is lost costs reading everything again',
  ),
  SOURCE_PROTOCOL: entry(
    'The source database sent something that the replication protocol does not allow',
    'Report it with the version of the database',
    { retryable: true },
  ),
  SOURCE_QUERY_FAILED: entry(
    'A query on the source database failed',
    'See the message of the database',
    RETRY,
  ),
  SOURCE_ROW_TOO_LARGE: entry(
    'A source row is larger than can be synced, so it was left out',
    'Keep rows below 15 MiB',
    { logLevel: 'warn' },
  ),
  SOURCE_TABLE_CHANGED: entry(
    'A table was dropped, renamed or altered while it was read',
    'Nothing to do: the table is read again as it is now',
    RETRY,
  ),
  SOURCE_TABLE_NO_IDENTITY: entry(
    'A table has neither a primary key nor a replica identity',
    'Add a primary key, or run: ALTER TABLE <table> REPLICA IDENTITY FULL',
    { logLevel: 'warn' },
  ),

  REPLICATION_STALLED: entry(
    'Replication has made no progress for too long',
    'See the log lines before; the replicator restarts by itself',
    RETRY,
  ),
  REPLICATION_STOPPED: entry(
    'The replicator ended unexpectedly',
    'See the log lines before; the replicator restarts by itself',
    RETRY,
  ),

  REPLICATION_WAITING: entry(
    'The replicator waits out a failure, so it cannot take up anything new',
    'Correct the failure named; the replicator tries again by itself',
    { ...RETRY, httpStatus: 503 },
  ),

  STORAGE_UNAVAILABLE: entry(
    'Bucket storage cannot be opened',
    'Check the path and its permissions',
    RETRY,
  ),
  STORAGE_LOCKED: entry(
    'Another process writes to this bucket storage',
    'Run one replicator per storage; stop the other one',
    RETRY,
  ),
  STORAGE_FULL: entry('The disk of the bucket storage is full', 'Free space on the disk', RETRY),
  STORAGE_CORRUPT: entry(
    'Bucket storage holds data that cannot be right',
    'Delete the storage; the service fills it again from the source',
  ),
  STORAGE_VERSION: entry(
    'Bucket storage was written by a newer version',
    'Use the newer version, or delete the storage',
  ),
  STORAGE_GENERATION_GONE: entry(
    'The generation of the sync config was removed',
    'Nothing to do: clients reconnect to the new one',
    RETRY,
  ),
  STORAGE_CLOSED: entry('Bucket storage is closed', 'Nothing to do: the service is stopping', {
    ...RETRY,
    httpStatus: 503,
  }),

  SYNC_TOKEN_MISSING: entry(
    'The request carries no token',
    'Send the header Authorization: Token <jwt>',
    UNAUTHORIZED,
  ),
  SYNC_TOKEN_INVALID: entry(
    'The token is malformed, or no key verifies it',
    'Sign the token with a key that client_auth names',
    UNAUTHORIZED,
  ),
  SYNC_TOKEN_EXPIRED: entry('The token has expired', 'Fetch a new token', UNAUTHORIZED),
  SYNC_TOKEN_LIFETIME: entry(
    'The token is valid for too long',
    'Issue tokens that live at most 24 hours',
    UNAUTHORIZED,
  ),
  SYNC_TOKEN_AUDIENCE: entry(
    'The audience of the token is missing or not accepted',
    'Set aud to a value that client_auth.audience lists',
    UNAUTHORIZED,
  ),
  SYNC_KEYS_UNAVAILABLE: entry(
    'The keys that verify tokens could not be fetched',
    'Check jwks_uri and that the service can reach it',
    UNAUTHORIZED,
  ),
  SYNC_KEYS_IPV6_REFUSED: entry(
    'The keys that verify tokens are at an IPv6 address, which the configuration refuses',
    'Name a host that has an IPv4 address in jwks_uri, or turn block_local_jwks off',
    UNAUTHORIZED,
  ),
  SYNC_KEYS_ADDRESS_REFUSED: entry(
    'The host of the keys that verify tokens has an address that the configuration refuses',
    'Name another host in jwks_uri, or change jwks_reject_ip_ranges or block_local_jwks',
    UNAUTHORIZED,
  ),
  SYNC_REQUEST_INVALID: entry(
    'The request does not have the form that the protocol wants',
    'Correct the fields named',
    { httpStatus: 400, logLevel: 'info' },
  ),
  SYNC_WRITE_CHECKPOINT_CUSTOM: entry(
    'The service gives out no write checkpoints: the sync config takes them from rows of the database',
    'Pass complete() the number that your backend has written, or send checkpoint requests to your backend; see "Write checkpoints from your database" in docs/sync-config.md',
    { httpStatus: 400, logLevel: 'info' },
  ),
  SYNC_LINE_INVALID: entry(
    'A message of the sync stream could not be read',
    'Check that both ends speak the same protocol version',
  ),
  SYNC_NO_ACTIVE_CONFIG: entry(
    'No sync config is active yet',
    'Wait until the first snapshot is complete, or deploy a sync config',
    { ...RETRY, logLevel: 'info' },
  ),
  SYNC_PREFIX_MISSING: entry(
    'The active sync config has a definition that no buckets were filled for',
    'Deploy the sync config again, or wait until replication has filled them anew after an update',
    RETRY,
  ),
  SYNC_TOO_MANY_BUCKETS: entry(
    'The client would sync more buckets than allowed',
    'Use fewer buckets, or raise api.parameters.max_buckets_per_connection',
  ),
  SYNC_TOO_MANY_PARAMETER_RESULTS: entry(
    'The parameter queries of the client have more results than allowed',
    'Narrow the queries, or raise api.parameters.max_parameter_query_results',
  ),
  SYNC_TOO_MANY_CONNECTIONS: entry(
    'Too many clients are connected',
    'Raise api.parameters.max_concurrent_connections, or add a process',
    { ...RETRY, httpStatus: 429 },
  ),
  SYNC_OVERLOADED: entry(
    'Too many clients download at once, and this one did not get its turn in time',
    'Nothing to do: the client retries; add a process if it recurs',
    { ...RETRY, httpStatus: 503 },
  ),
  SYNC_CLIENT_TOO_SLOW: entry(
    'The client does not take what it is sent, so its stream was cut',
    'Nothing to do: the client goes on where it was when it connects again; see api.parameters.slow_client_timeout_seconds and max_bytes_in_flight',
    { ...RETRY, httpStatus: 503 },
  ),
  SYNC_SHUTTING_DOWN: entry('The service is stopping', 'Nothing to do: clients reconnect', {
    ...RETRY,
    httpStatus: 503,
  }),
  SYNC_PARAMETER_ERROR: entry(
    'A parameter query could not be evaluated for this client',
    'Correct the claim or parameter that the message names',
  ),

  API_ROUTE_MISSING: entry('There is no such route', 'Check path and method', {
    httpStatus: 404,
    logLevel: 'info',
  }),
  API_TOKEN_INVALID: entry(
    'The API token is missing or not accepted',
    'Send a token that api.tokens lists',
    UNAUTHORIZED,
  ),
  API_BODY_TOO_LARGE: entry('The request body is too large', 'Send at most 1 MiB', {
    httpStatus: 413,
    logLevel: 'info',
  }),
  API_MEDIA_TYPE: entry('The content type of the request is not supported', 'Send JSON', {
    httpStatus: 415,
    logLevel: 'info',
  }),
  API_NO_ACTIVE_CONFIG: entry(
    'No sync config is active, so there is nothing to show',
    'Wait until the first snapshot is complete',
    { httpStatus: 422, logLevel: 'info' },
  ),
  API_SYNC_CONFIG_PINNED: entry(
    'The sync config cannot be changed by the API, because the configuration file names it',
    'Change the file that sync_config names, and restart the service',
    { httpStatus: 422, logLevel: 'info' },
  ),
  API_DEPLOY_IN_PROGRESS: entry(
    'Another sync config is being filled',
    'Wait until it serves, or deploy the active one again to call it off',
    { httpStatus: 409, logLevel: 'info' },
  ),
  API_DEPLOY_UNANSWERED: entry(
    'The replicator did not answer in time, so it is not known what became of the request',
    'See what is active and deploying, then try again',
    { ...RETRY, httpStatus: 504 },
  ),
  API_ADMIN_UNANSWERED: entry(
    'The main process did not answer an API worker in time, so it is not known what became of the request',
    'See what is active and deploying, then try again',
    { ...RETRY, httpStatus: 504 },
  ),
  API_WORKER_UNANSWERED: entry(
    'An API worker did not answer the main process in time',
    'Try again; a worker that hangs is started anew by itself',
    { ...RETRY, httpStatus: 504 },
  ),
  API_WORKER_ENDED: entry(
    'An API worker ended before it answered the main process',
    'Try again; it is started anew by itself, and the log says how it ended',
    { ...RETRY, httpStatus: 503 },
  ),
  API_WORKER_FAILED: entry(
    'API workers end before they can serve',
    'See the log lines before; start with fewer api.workers, or none',
  ),
  API_LISTEN_FAILED: entry(
    'The service cannot listen on its port',
    'Stop the other process, or choose another port',
  ),

  HEALTH_LOOP_STALLED: entry(
    'A part of the service makes no progress',
    'Restart the service if it does not recover by itself; report it with the log lines around it',
  ),
  HEALTH_CANARY_SLOW: entry(
    'A change takes long from its commit in the source to clients',
    'Look at the replication lag, the load of the machine, and the metrics of the event loops',
    { logLevel: 'warn' },
  ),
  HEALTH_CANARY_LOST: entry(
    'Changes do not come through from the source to clients',
    'Look at the other problems of the health; restart the service if there are none',
  ),

  ...WRITE_API_ERRORS,

  CLI_USAGE: entry('A command was called in a way it does not know', 'See sluice --help'),
  CLI_ALREADY_RUNNING: entry(
    'Another sluice dev uses the same folder',
    'Use the one that runs, stop it with Ctrl-C, or choose another folder with --dir',
  ),
  CLI_PORT_IN_USE: entry(
    'A port that was asked for is taken',
    'Stop the program that listens there, or choose another port',
  ),
  CLI_DEV_FOLDER: entry(
    'The folder of sluice dev is missing or damaged',
    'Run sluice dev here first, or name the service with --url and --token',
  ),
  CLI_CHECKS_FAILED: entry(
    'The source database is not ready for replication',
    'Run what the checks list, or try again with --fix',
  ),
  CLI_OUT_OF_DATE: entry(
    'A generated file is missing, or differs from what would be written now',
    'Run the same command without --check, and commit the file',
  ),
  CLI_NOT_FOUND: entry(
    'What a command was asked about does not exist',
    'Correct the name; the message lists what there is',
  ),
  CLI_SERVICE_UNREACHABLE: entry(
    'The service cannot be reached',
    'Check the URL, and that the service is running',
    RETRY,
  ),
  CLI_REQUEST_REFUSED: entry('The service refused a request', 'Correct what the message names'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;
