import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { ConfigError } from '@sluice/base';
import type { PostgresConnectionOptions } from '../options.ts';

/** Where and how to connect, complete. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: ConnectionOptions | false;
  readonly connectTimeoutMs: number;
  /** Told of what arrives on connections for change log and snapshots. */
  readonly onReceived?: ((bytes: number) => void) | undefined;
}

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/**
 * Completes the options: parts of the URI, overridden by what is given separately.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` naming the key that is missing or wrong.
 */
export function connectionSettings(options: PostgresConnectionOptions): ConnectionSettings {
  const fromUri = options.uri === undefined ? {} : parseUri(options.uri);
  const host = required('hostname', options.hostname ?? fromUri.host);
  return {
    host,
    port: validPort(options.port ?? fromUri.port ?? DEFAULT_PORT),
    user: required('username', options.username ?? fromUri.user),
    password: options.password ?? fromUri.password ?? '',
    database: required('database', options.database ?? fromUri.database),
    tls: tlsOptions({ ...options, sslmode: options.sslmode ?? fromUri.sslmode }),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
  };
}

interface UriParts {
  host?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  password?: string | undefined;
  database?: string | undefined;
  sslmode?: SslMode | undefined;
}

type SslMode = NonNullable<PostgresConnectionOptions['sslmode']>;

function parseUri(uri: string): UriParts {
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    throw invalid('uri', 'it is not a URI'); // without cause: its message repeats the password
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    throw invalid('uri', `it starts with ${url.protocol}// instead of postgresql://`);
  }
  const host = decode(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  return {
    host: host || url.searchParams.get('host') || undefined,
    port: url.port === '' ? undefined : Number(url.port),
    user: decode(url.username) || undefined,
    password: decode(url.password) || undefined,
    database: decode(url.pathname.slice(1)) || undefined,
    sslmode: uriSslMode(url.searchParams.get('sslmode')),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('uri', 'a % in it is not followed by two hex digits');
  }
}

/** libpq knows weaker modes as well; what asks for encryption at all gets the verified kind. */
function uriSslMode(mode: string | null): SslMode | undefined {
  if (mode === null) return undefined;
  return mode === 'disable' || mode === 'verify-ca' ? mode : 'verify-full';
}

function tlsOptions(options: PostgresConnectionOptions): ConnectionOptions | false {
  const mode = options.sslmode ?? 'verify-full';
  if (mode === 'disable') return false;
  if (mode === 'verify-ca' && !options.cacert) {
    throw invalid('cacert', 'sslmode verify-ca needs the CA certificate');
  }
  if ((options.clientCertificate === undefined) !== (options.clientPrivateKey === undefined)) {
    throw invalid('client_certificate', 'certificate and private key come together');
  }
  const serverName = options.tlsServername;
  return {
    rejectUnauthorized: true,
    ...(options.cacert ? { ca: options.cacert } : {}),
    ...(options.clientCertificate ? { cert: options.clientCertificate } : {}),
    ...(options.clientPrivateKey ? { key: options.clientPrivateKey } : {}),
    ...(serverName ? { servername: serverName } : {}),
    // pg overwrites `servername` with a host that is a name, so the name to verify is given here
    ...(mode === 'verify-ca'
      ? { checkServerIdentity: () => undefined }
      : serverName
        ? {
            checkServerIdentity: (_host, certificate) =>
              checkServerIdentity(serverName, certificate),
          }
        : {}),
  };
}

function required(key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw invalid(key, 'it is missing');
  return value;
}

function validPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw invalid('port', `${port} is not a port`);
  }
  return port;
}

function invalid(key: string, why: string): ConfigError {
  return new ConfigError('CONFIG_INVALID_VALUE', `Invalid source connection, ${key}: ${why}`, {
    details: { key },
  });
}
