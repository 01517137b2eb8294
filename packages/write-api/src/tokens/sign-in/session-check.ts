import { createHash } from 'node:crypto';
import type { Clock } from '@sluice/base';
import type { SignedInUser } from '../token-issuer.ts';
import { boundedText } from './bounded-text.ts';
import {
  SignInRefusal,
  unavailable,
  userOfAnswer,
  type SignIn,
  type SignInRequest,
} from './sign-in.ts';

export interface SessionCheckOptions {
  readonly url: string;
  /** Names of request headers that are passed on; nothing else is. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  /** How long an answer is good for the same headers; 0: not at all. */
  readonly cacheMs: number;
  readonly clock: Clock;
}

interface Known {
  readonly user: Promise<SignedInUser>;
  readonly untilMs: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_KNOWN = 10_000;

/**
 * Asks the app who it is: its URL gets the Authorization and Cookie headers of the request, and
 * answers 200 `{user_id, claims?}`, or 401. Requests with the same headers share one question.
 */
export function sessionCheck(options: SessionCheckOptions): SignIn {
  const { clock, cacheMs } = options;
  const known = new Map<string, Known>();
  return (request) => {
    const forwarded = forwardedHeaders(request, options.headers);
    if (forwarded.length === 0) {
      const names = options.headers.join(' or ');
      return Promise.reject(
        new SignInRefusal(`The request has no ${names} header`, { wasTried: false }),
      );
    }
    const id = createHash('sha256').update(JSON.stringify(forwarded)).digest('base64');
    const found = known.get(id);
    if (found && clock.now() < found.untilMs) return found.user;
    const user = ask(options, forwarded);
    // While it is under way, and then for as long as configured; a refusal is not kept.
    known.delete(id);
    known.set(id, { user, untilMs: Infinity });
    const settle = (untilMs: number) => {
      if (known.get(id)?.user !== user) return;
      if (untilMs > clock.now()) known.set(id, { user, untilMs });
      else known.delete(id);
    };
    user.then(
      () => settle(clock.now() + cacheMs),
      () => settle(0),
    );
    dropOldest(known);
    return user;
  };
}

function forwardedHeaders({ headers }: SignInRequest, names: readonly string[]) {
  return names.flatMap((name): [string, string][] => {
    const value = headers.get(name);
    return value === null ? [] : [[name.toLowerCase(), value]];
  });
}

function dropOldest(known: Map<string, Known>): void {
  for (const id of known.keys()) {
    if (known.size <= MAX_KNOWN) return;
    known.delete(id);
  }
}

async function ask(
  { url, timeoutMs }: SessionCheckOptions,
  forwarded: readonly [string, string][],
): Promise<SignedInUser> {
  const { status, text } = await get(url, forwarded, timeoutMs);
  if (status === 401 || status === 403) {
    throw new SignInRefusal('The app does not know this session', { wasTried: true });
  }
  if (status >= 300 && status < 400) {
    throw unavailable('The session check answers with a redirect, which is not followed');
  }
  if (status !== 200) throw unavailable(`The session check answered with status ${status}`);
  if (text === undefined) {
    throw unavailable(`The session check answered with more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return userOfAnswer(parseJson(text), 'the session check');
}

async function get(url: string, forwarded: readonly [string, string][], timeoutMs: number) {
  try {
    const response = await fetch(url, {
      headers: [['accept', 'application/json'], ...forwarded],
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, text: await boundedText(response.body, MAX_ANSWER_BYTES) };
  } catch (cause) {
    throw unavailable(`The session check failed: ${reasonOf(cause)}`, cause);
  }
}

/** `fetch` puts the reason into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unavailable('The answer of the session check is not JSON', cause);
  }
}
