/** What a `postgresql://` URI says; missing parts are undefined. */
export interface PostgresUriParts {
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslmode: 'verify-full' | 'verify-ca' | 'disable' | undefined;
}

export type PostgresUri =
  | { readonly kind: 'parts'; readonly parts: PostgresUriParts }
  | { readonly kind: 'problem'; readonly message: string };

/** Takes a connection URI apart. Messages do not quote the URI: it may hold a password. */
export function parsePostgresUri(uri: string): PostgresUri {
  if (!URL.canParse(uri)) return { kind: 'problem', message: 'is not a URI' };
  const url = new URL(uri);
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    return { kind: 'problem', message: 'must begin with postgresql://' };
  }
  const sslmode = url.searchParams.get('sslmode') ?? undefined;
  if (!isSslMode(sslmode)) {
    return {
      kind: 'problem',
      message: `has sslmode ${sslmode}; supported: verify-full, verify-ca, disable`,
    };
  }
  try {
    return {
      kind: 'parts',
      parts: {
        hostname: present(url.hostname.replace(/^\[(.*)\]$/, '$1')),
        port: url.port === '' ? undefined : Number(url.port),
        username: present(decodeURIComponent(url.username)),
        password: present(decodeURIComponent(url.password)),
        database: present(decodeURIComponent(url.pathname.slice(1))),
        sslmode,
      },
    };
  } catch (error) {
    if (error instanceof URIError) return { kind: 'problem', message: 'has a wrong % escape' };
    throw error;
  }
}

function isSslMode(text: string | undefined): text is PostgresUriParts['sslmode'] {
  return text === undefined || ['verify-full', 'verify-ca', 'disable'].includes(text);
}

function present(text: string): string | undefined {
  return text === '' ? undefined : text;
}
