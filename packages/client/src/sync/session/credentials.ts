import { orAborted, withTimeout, type ClientClock } from '../../clock.ts';
import { ClientError } from '../../errors.ts';
import { PREFETCH_SECONDS } from '../machine/delays.ts';

export interface Credentials {
  /** The service's address, without a slash at its end. */
  readonly endpoint: string;
  /** A JWT. */
  readonly token: string;
  /** When the token runs out; else its `exp` is looked at. */
  readonly expiresAt?: Date | undefined;
}

/** The app's: null, or an empty token, says that nobody is signed in. */
export type FetchCredentials = () => Promise<Credentials | null | undefined>;

/** Whoever has not answered by then counts as failed; its call stays the only one. */
const FETCH_TIMEOUT_MS = 60_000;

/**
 * The credentials in use. One call of the app's function is in flight at a time, whoever asks; what it gives is kept
 * until it is about to run out, or is dropped (spec/client.md 1.5, 3.1).
 */
export class CredentialsCache {
  readonly #fetch: FetchCredentials;
  readonly #clock: ClientClock;
  #current: Credentials | undefined;
  #inFlight: Promise<Credentials | undefined> | undefined;

  constructor(fetch: FetchCredentials, clock: ClientClock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /**
   * Those in use, or new ones if there are none, they are about to run out, or `fresh` ones are wanted. Undefined if
   * nobody is signed in.
   *
   * @throws ClientError `CREDENTIALS` if the app's function fails, gives what cannot be used, or takes too long
   */
  async get(options: {
    readonly fresh: boolean;
    readonly signal: AbortSignal;
  }): Promise<Credentials | undefined> {
    const { fresh, signal } = options;
    if (!fresh && this.#current !== undefined && this.#lastsLongEnough(this.#current)) {
      return this.#current;
    }
    const timeout = {
      ms: FETCH_TIMEOUT_MS,
      signal,
      onTimeout: () => new ClientError('CREDENTIALS', 'fetchCredentials has not answered'),
    };
    return withTimeout(this.#clock, timeout, (either) => orAborted(this.#shared(), either));
  }

  /** The service refused them. Those that were fetched since stay. */
  drop(): void {
    this.#current = undefined;
  }

  #shared(): Promise<Credentials | undefined> {
    this.#inFlight ??= this.#call().finally(() => (this.#inFlight = undefined));
    return this.#inFlight;
  }

  async #call(): Promise<Credentials | undefined> {
    let given: Credentials | null | undefined;
    try {
      given = await this.#fetch();
    } catch (cause) {
      throw new ClientError('CREDENTIALS', `fetchCredentials failed: ${textOf(cause)}`, { cause });
    }
    this.#current = checked(given);
    return this.#current;
  }

  #lastsLongEnough(credentials: Credentials): boolean {
    const expiresAtMs = credentials.expiresAt?.getTime() ?? expiryOf(credentials.token);
    return expiresAtMs === undefined || expiresAtMs - this.#clock.now() > PREFETCH_SECONDS * 1000;
  }
}

function checked(given: Credentials | null | undefined): Credentials | undefined {
  if (given === null || given === undefined || !given.token) return undefined;
  const { endpoint } = given;
  if (!endpoint) throw new ClientError('CREDENTIALS', 'The endpoint is empty');
  if (endpoint.endsWith('/')) {
    throw new ClientError('CREDENTIALS', 'The endpoint must not end with a slash');
  }
  if (!/^https?:\/\//.test(endpoint)) {
    throw new ClientError('CREDENTIALS', 'The endpoint must begin with http:// or https://');
  }
  return given;
}

/** Of a JWT, in milliseconds since 1970; undefined if it cannot be told, which the service will judge. */
function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as {
      exp?: unknown;
    };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined; // opaque to us; the service reads it
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
