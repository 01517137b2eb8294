import { ConfigError } from '@sluice/base';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A connection string as people type it, with `sslmode` made explicit so that everything here reads
 * it alike: a database on this machine is reached without TLS, any other one with a verified
 * certificate, unless the string says otherwise.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE`; the message does not quote the string.
 */
export function sourceUrl(text: string): string {
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    throw new ConfigError('CONFIG_INVALID_VALUE', 'The database URL is not a PostgreSQL URL', {
      remedy: 'Write it as postgresql://user:password@host:5432/database',
    });
  }
  const url = new URL(text);
  if (!url.searchParams.has('sslmode')) {
    url.searchParams.set('sslmode', LOOPBACK.has(url.hostname) ? 'disable' : 'verify-full');
  }
  return url.href;
}
