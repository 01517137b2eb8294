import { sourceUrl } from './connection-url.ts';

/** The environment variable that the starter configuration takes the database's URL from. */
export const DATABASE_VARIABLE = 'PS_DATABASE_URI';

/**
 * A first service configuration for `sluice start`. The URL of the database holds a password, so it
 * comes from the environment and is not written down; only whether TLS is wanted is.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` for text that is no PostgreSQL URL.
 */
export function starterServiceConfig(databaseUrl: string, syncConfigPath: string): string {
  const sslmode = new URL(sourceUrl(databaseUrl)).searchParams.get('sslmode');
  return `# What sluice start runs with. All keys: docs/config.md
replication:
  connections:
    - type: postgresql
      uri: !env ${DATABASE_VARIABLE}
      sslmode: ${sslmode === 'disable' || sslmode === 'verify-ca' ? sslmode : 'verify-full'}

storage:
  type: sqlite
  path: sluice-storage/storage.db

sync_config:
  path: ${JSON.stringify(syncConfigPath)}

# Whose tokens are accepted: name the keys of your sign-in service. Until then every client is refused.
client_auth:
  # jwks_uri: https://your-sign-in-service/.well-known/jwks.json
  audience:
    - sluice

healthcheck:
  probes:
    use_http: true
`;
}
