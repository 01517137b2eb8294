import { SyncError } from '@sluice/base';

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
