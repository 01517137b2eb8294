import {
  requireToken,
  subjectText,
  verifyToken,
  type TokenVerifierOptions,
  type VerifiedToken,
} from '@sluice/auth';
import type { Caller } from '../pipeline/row-write.ts';

/** Who a verified token speaks for; the client's own id comes with what it sends. */
export function callerOf({ claims }: VerifiedToken): Caller {
  return { userId: subjectText(claims['sub']), claims, clientId: undefined };
}

/**
 * Finds out who sends a request from its Authorization header, with the rules of sync streams.
 *
 * @throws SyncError `SYNC_TOKEN_*`, `SYNC_KEYS_UNAVAILABLE`; all answer 401.
 */
export function tokenAuthenticator(
  options: TokenVerifierOptions,
): (request: Request) => Promise<Caller> {
  return async (request) => {
    const token = requireToken(request.headers.get('authorization') ?? undefined);
    return callerOf(await verifyToken(token, options));
  };
}
