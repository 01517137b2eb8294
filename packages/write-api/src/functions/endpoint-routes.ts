import { AppError } from '@sluice/base';
import type { Route } from '../http/route.ts';
import type { Caller } from '../pipeline/row-write.ts';
import type { WriteStore } from '../pipeline/write-store.ts';
import { FunctionRefusal, type AppFunctions } from './app-functions.ts';
import type { EndpointEntry, WireRequest } from './messages.ts';

export interface EndpointRoutesOptions {
  readonly functions: AppFunctions;
  /** For their transactions; without it they have none. */
  readonly store?: WriteStore | undefined;
  /** @throws AppError of status 401 */
  readonly authenticate: (request: Request) => Promise<Caller>;
  readonly maxBodyBytes: number;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const PATHS = [
  '/functions/:a',
  '/functions/:a/:b',
  '/functions/:a/:b/:c',
  '/functions/:a/:b/:c/:d',
];

interface Match {
  readonly entry: EndpointEntry;
  readonly params: Readonly<Record<string, string>>;
}

/** Everything under `/functions/`: which function it is for is looked up at each request, for reloads. */
export function endpointRoutes(options: EndpointRoutesOptions): readonly Route[] {
  return METHODS.flatMap((method) =>
    PATHS.map((path): Route => ({
      method,
      path,
      handle: (request, params) => answer(options, method, request, Object.values(params)),
    })),
  );
}

/** Makes a request plain data, so that it can go to another thread. */
async function wireRequest(request: Request, maxBodyBytes: number): Promise<WireRequest> {
  return {
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    body: request.body === null ? undefined : await readBytes(request.body, maxBodyBytes),
  };
}

async function answer(
  { functions, store, authenticate, maxBodyBytes }: EndpointRoutesOptions,
  method: string,
  request: Request,
  segments: readonly string[],
): Promise<Response> {
  const match = findEndpoint(functions.manifest.endpoints, method, segments);
  if (match === undefined) {
    throw new AppError('API_ROUTE_MISSING', `There is no function ${method} ${segments.join('/')}`);
  }
  const { entry, params } = match;
  const caller = entry.isPublic ? undefined : await authenticate(request);
  const input = { request: await wireRequest(request, maxBodyBytes), params, caller };
  try {
    const { status, headers, body } = await functions.callEndpoint(entry, input, {
      store,
      signal: request.signal,
    });
    const list = headers.map(([name, value]): [string, string] => [name, value]);
    const hasBody = body.byteLength > 0 && status !== 204 && status !== 304;
    return new Response(hasBody ? body : null, { status, headers: list });
  } catch (error) {
    if (!(error instanceof FunctionRefusal)) throw error;
    return refusal(error);
  }
}

/** The route with the most fixed segments wins: `orders/open` before `orders/:id`. */
function findEndpoint(
  entries: readonly EndpointEntry[],
  method: string,
  segments: readonly string[],
): Match | undefined {
  const fitting = entries.filter(
    ({ method: own, path }) =>
      own === method &&
      path.length === segments.length &&
      path.every((part, index) => part.startsWith(':') || part === segments[index]),
  );
  const fixed = ({ path }: EndpointEntry) =>
    path.map((part) => (part.startsWith(':') ? '1' : '0')).join('');
  const [entry] = fitting.sort((a, b) => fixed(a).localeCompare(fixed(b)));
  if (entry === undefined) return undefined;
  const params = entry.path.flatMap((part, index): [string, string][] =>
    part.startsWith(':') ? [[part.slice(1), segments[index] ?? '']] : [],
  );
  return { entry, params: Object.fromEntries(params) };
}

function refusal(error: FunctionRefusal): Response {
  const { httpStatus: status, reason, code, message } = error;
  return Response.json(
    { error: { code: reason ?? code, status, description: message } },
    { status },
  );
}

async function readBytes(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const part of body) {
    byteLength += part.byteLength;
    if (byteLength > maxBytes) {
      throw new AppError('API_BODY_TOO_LARGE', `The request is larger than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
