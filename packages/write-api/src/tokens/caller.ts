import {
  requireToken,
  subjectText,
  verifyToken,
  type TokenVerifierOptions,
  type VerifiedToken,
} from '@sluice/auth';
import { SyncError } from '@sluice/base';
import type { Caller } from '../pipeline/row-write.ts';

/**
 * Who a verified token speaks for; the client's own id comes with what it sends.
 *
 * @throws SyncError `SYNC_TOKEN_INVALID` for an empty `sub`, which no row could name as its owner.
 */
export function callerOf({ claims }: VerifiedToken): Caller {
  const userId = subjectText(claims['sub']);
  if (userId === '')
    throw new SyncError('SYNC_TOKEN_INVALID', 'The sub claim of the token is empty');
  return { userId, claims, clientId: undefined };
}

/**
 * Finds out who sends a request from its Authorization header, with the rules of sync streams.
 *
 * @throws SyncError `SYNC_TOKEN_*`, `SYNC_KEYS_*`; all answer 401.
 */
export function tokenAuthenticator(
  options: TokenVerifierOptions,
): (request: Request) => Promise<Caller> {
  return async (request) => {
    const token = requireToken(request.headers.get('authorization') ?? undefined);
    return callerOf(await verifyToken(token, options));
  };
}
