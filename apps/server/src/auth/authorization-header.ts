import { timingSafeEqual, createHash } from 'node:crypto';
import { AppError, SyncError } from '@sluice/base';

/** The token of `Token <x>` or `Bearer <x>`; undefined for anything else (spec/protocol.md 1.1.9). */
export function parseAuthorization(header: string | undefined): string | undefined {
  return /^(?:Token|Bearer) (\S+)$/.exec(header ?? '')?.[1];
}

/** @throws SyncError `SYNC_TOKEN_MISSING` without the header, `SYNC_TOKEN_INVALID` for another form. */
export function requireToken(header: string | undefined): string {
  const token = parseAuthorization(header);
  if (token !== undefined) return token;
  if (!header) throw new SyncError('SYNC_TOKEN_MISSING', 'The request carries no token');
  throw new SyncError('SYNC_TOKEN_INVALID', 'The Authorization header is not `Token <jwt>`');
}

/**
 * Lets an admin request pass whose token is one of `tokens` exactly (spec/protocol.md 7.3).
 *
 * @throws AppError `API_TOKEN_INVALID`; the reason is not disclosed.
 */
export function requireApiToken(header: string | undefined, tokens: readonly string[]): void {
  const given = parseAuthorization(header);
  // All are compared, in constant time, so that timing tells nothing of any of them.
  const matches = tokens.filter((token) => given !== undefined && equalTexts(token, given));
  if (matches.length === 0) {
    throw new AppError('API_TOKEN_INVALID', 'The API token is missing or not accepted');
  }
}

function equalTexts(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
