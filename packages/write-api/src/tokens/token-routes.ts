import { AppError, isJsonObject, type Clock, type JsonObject } from '@sluice/base';
import type { ClientFacts, Route } from '../http/route.ts';
import { FailureLimit } from './failure-limit.ts';
import { boundedText } from './sign-in/bounded-text.ts';
import { SignInRefusal, type SignIn } from './sign-in/sign-in.ts';
import type { TokenIssuer } from './token-issuer.ts';

export interface TokenRoutesOptions {
  readonly signIn: SignIn;
  readonly issuer: TokenIssuer;
  /** URL of the service for clients; undefined: where the request came to. */
  readonly endpoint: string | undefined;
  /** Header in which a proxy names the client's address. */
  readonly addressHeader: string | undefined;
  readonly clock: Clock;
}

const MAX_BODY_BYTES = 16 * 1024;

/**
 * `GET /token` and `POST /token`: 200 `{token, endpoint, powersync_url, expires_at}` for who has
 * signed in; `powersync_url` is `endpoint` under the name that reference backends give it.
 *
 * 401 for who has not, 400 for a wrong form, 429 after too many refusals, 503 when it is not known.
 */
export function tokenRoutes(options: TokenRoutesOptions): readonly Route[] {
  const limit = new FailureLimit(options.clock);
  const handle: Route['handle'] = async (request, _params, client) => {
    const address = clientAddress(request, client, options.addressHeader);
    limit.assertAllowed(address);
    const url = new URL(request.url);
    const parameters = { ...Object.fromEntries(url.searchParams), ...(await bodyOf(request)) };
    try {
      const user = await options.signIn({ url, headers: request.headers, parameters });
      return answer(await options.issuer.issue(user), options.endpoint ?? originOf(request, url));
    } catch (error) {
      if (error instanceof SignInRefusal && error.wasTried) limit.failed(address);
      throw error;
    }
  };
  return (['GET', 'POST'] as const).map((method) => ({ method, path: '/token', handle }));
}

function answer(
  { token, expiresAtMs }: Awaited<ReturnType<TokenIssuer['issue']>>,
  endpoint: string,
): Response {
  const expires_at = new Date(expiresAtMs).toISOString();
  const body = { token, endpoint, powersync_url: endpoint, expires_at };
  return new Response(JSON.stringify(body), {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  });
}

async function bodyOf(request: Request): Promise<JsonObject> {
  if (request.method !== 'POST') return {};
  const text = await boundedText(request.body, MAX_BODY_BYTES);
  if (text === undefined) {
    throw new AppError('API_BODY_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes`, {
      remedy: 'Send the token or the name alone',
    });
  }
  if (text === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw malformed('The body is not JSON', cause);
  }
  if (!isJsonObject(body)) throw malformed('The body is not a JSON object');
  return body;
}

/** The last entry is the one that the nearest proxy has added; those before it anybody can write. */
function clientAddress(
  request: Request,
  client: ClientFacts | undefined,
  header: string | undefined,
): string | undefined {
  const named = header === undefined ? null : request.headers.get(header);
  return named?.split(',').at(-1)?.trim() || client?.address;
}

/** Behind a proxy that ends TLS, the request itself looks like plain HTTP. */
function originOf(request: Request, url: URL): string {
  const forwarded = request.headers.get('x-forwarded-proto');
  return forwarded === 'https' ? `https://${url.host}` : url.origin;
}

function malformed(message: string, cause?: unknown): AppError {
  return new AppError('TOKENS_REQUEST_INVALID', message, { cause });
}
