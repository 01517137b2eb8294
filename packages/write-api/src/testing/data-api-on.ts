import { createRouter } from '../http/router.ts';
import type { Caller } from '../pipeline/row-write.ts';
import { dataRoutes, type DataRoutesOptions } from '../data-api/data-routes.ts';
import { AppError, systemClock } from '@sluice/base';
import type pg from 'pg';
import { CollectingLogger } from './functions-folder.ts';
import { storeOn } from './store-on.ts';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type AskData = (
  method: string,
  path: string,
  options?: {
    readonly body?: unknown;
    readonly as?: string;
    readonly headers?: Record<string, string>;
  },
) => Promise<Answer>;

/** The data API on a pool; `as` names the user, or a service token. */
export function dataApiOn(
  pool: pg.Pool,
  options: Partial<DataRoutesOptions> & { readonly role?: string } = {},
): AskData {
  const authenticate = async (request: Request): Promise<Caller> => {
    const [, userId] = /^Bearer (\w+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
    if (userId === undefined) throw new AppError('SYNC_TOKEN_MISSING', 'no token');
    return { userId, claims: { sub: userId }, clientId: undefined };
  };
  const routes = dataRoutes({
    store: storeOn(pool, { role: options.role }),
    serviceStore: storeOn(pool),
    readRuleOf: () => 'true',
    stepsOf: () => undefined,
    serviceStepsOf: () => undefined,
    isWritable: () => true,
    serviceTokens: [],
    authenticate,
    maxBodyBytes: 1 << 20,
    clock: systemClock,
    random: Math.random,
    ...options,
  });
  const handle = createRouter({ routes, maxConcurrency: 50, logger: new CollectingLogger() });
  return async (method, path, { body, as = 'ann', headers = {} } = {}) => {
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${as}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await handle(request);
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };
}
