import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../pipeline/row-write.ts';

/** A secret that another server, a script or a cron job sends in place of a user's token. */
export interface ServiceToken {
  readonly token: string;
  /**
   * As whom it acts: a user with these claims, under all rules; or as the service itself, for which
   * no rule and no row-level security counts.
   */
  readonly as:
    | { readonly kind: 'user'; readonly userId: string; readonly claims: Caller['claims'] }
    | { readonly kind: 'service'; readonly name: string };
}

/** Who uses the data API. */
export interface DataCaller {
  readonly caller: Caller;
  /** Whether rules and row-level security do not count. */
  readonly isService: boolean;
}

/** With a service's token: the user for whom it acts, under that user's rules. */
const ACT_AS = 'x-act-as-user';

/**
 * Finds out who sends a request: by a service token, or else as `authenticate` does.
 *
 * @throws AppError of status 401
 */
export function dataAuthenticator(
  tokens: readonly ServiceToken[],
  authenticate: (request: Request) => Promise<Caller>,
): (request: Request) => Promise<DataCaller> {
  const known = tokens.map(({ token, as }) => ({ digest: digestOf(token), as }));
  return async (request) => {
    const as = known.length === 0 ? undefined : find(known, request);
    if (as === undefined) return { caller: await authenticate(request), isService: false };
    if (as.kind === 'user') return { caller: callerOf(as.userId, as.claims), isService: false };
    const userId = request.headers.get(ACT_AS);
    if (userId !== null && userId !== '') return { caller: callerOf(userId, {}), isService: false };
    return { caller: callerOf(as.name, { role: 'service' }), isService: true };
  };
}

function find(
  known: readonly { readonly digest: Buffer; readonly as: ServiceToken['as'] }[],
  request: Request,
): ServiceToken['as'] | undefined {
  const header = request.headers.get('authorization') ?? '';
  const [, token] = /^(?:Bearer|Token) (\S+)$/i.exec(header) ?? [];
  if (token === undefined) return undefined;
  const digest = digestOf(token);
  // All are compared, each in constant time.
  return known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.as;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function callerOf(userId: string, claims: Caller['claims']): Caller {
  return { userId, claims: { ...claims, sub: userId }, clientId: undefined };
}
