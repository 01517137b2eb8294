import { AppError, ConcurrencyGroup, toAppError, type Logger } from '@sluice/base';
import { CORS, errorAnswer } from './answer.ts';
import type { ClientFacts, Route } from './route.ts';

/** Answers a request; `client` is what the server knows of who sends it. */
export type RequestHandler = (request: Request, client?: ClientFacts) => Promise<Response>;

export interface RouterOptions {
  readonly routes: readonly Route[];
  /** Requests that are worked on at a time; as many again wait, and beyond that they get 503. */
  readonly maxConcurrency: number;
  readonly logger: Logger;
}

/** Sends each request to its route, and answers what routes throw. */
export function createRouter({ routes, maxConcurrency, logger }: RouterOptions): RequestHandler {
  const patterns = routes.map((route) => ({ route, segments: segmentsOf(route.path) }));
  const group = new ConcurrencyGroup({ maxRunning: maxConcurrency, maxQueued: maxConcurrency });
  return async (request, client) => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: CORS });
    const leave = await group.enter();
    try {
      if (leave === undefined) {
        throw new AppError('UPLOAD_OVERLOADED', `${maxConcurrency} requests are being worked on`);
      }
      const { route, params } = find(patterns, request);
      return withCors(await route.handle(request, params, client));
    } catch (error) {
      return errorAnswer(toAppError(error), logger);
    } finally {
      leave?.();
    }
  };
}

interface Pattern {
  readonly route: Route;
  readonly segments: readonly string[];
}

function find(
  patterns: readonly Pattern[],
  request: Request,
): { readonly route: Route; readonly params: Readonly<Record<string, string>> } {
  const { pathname } = new URL(request.url);
  const path = segmentsOf(pathname);
  for (const { route, segments } of patterns) {
    const params = route.method === request.method ? match(segments, path) : undefined;
    if (params !== undefined) return { route, params };
  }
  const known = patterns.map(({ route }) => `${route.method} ${route.path}`).join(', ');
  throw new AppError('API_ROUTE_MISSING', `No route ${request.method} ${pathname}`, {
    remedy: `There are: ${known}`,
  });
}

function match(
  segments: readonly string[],
  path: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (segments.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const given = path[at] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== given) return undefined;
    } else {
      const decoded = decode(given);
      if (decoded === undefined || decoded === '') return undefined;
      params[segment.slice(1)] = decoded;
    }
  }
  return params;
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}

/** Undefined for what is not an encoding. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Routes need not think of browsers. */
function withCors(response: Response): Response {
  if (response.headers.has('access-control-allow-origin')) return response;
  const copy = new Response(response.body, response);
  for (const [name, value] of Object.entries(CORS)) copy.headers.set(name, value);
  return copy;
}
