import { withTimeout, type ClientClock } from '../clock.ts';
import { ClientError } from '../errors.ts';
import type { CredentialsCache } from '../sync/session/credentials.ts';
import { refusal } from '../sync/transport/response-error.ts';
import { StreamFailure, toStreamFailure, type Fetch } from '../sync/transport/transport.ts';

/** Where the numbers come from that stand for "everything uploaded so far" (spec/client.md 3.3, 3.4). */
export interface WriteCheckpoints {
  /** A number that a checkpoint carries once it has all that was uploaded before this call. */
  request(signal: AbortSignal): Promise<bigint>;
  /** Asks for a number again, which does no harm. */
  repeat(checkpoint: bigint, signal: AbortSignal): Promise<void>;
  /** A stream has brought its first line. */
  connected(): void;
  /** After how long a number that did not come is asked for again; undefined for never. */
  readonly repeatAfterMs: number | undefined;
}

export interface ServiceCallsOptions {
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  readonly credentials: CredentialsCache;
  readonly clientId: string;
  readonly userAgent: string;
}

const TIMEOUT_MS = 30_000;

/** Calls of the service beside its stream, with the credentials in use; a refused token is replaced once. */
export class ServiceCalls {
  readonly #options: ServiceCallsOptions;

  constructor(options: ServiceCallsOptions) {
    this.#options = options;
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  /**
   * Returns `data` of the answer; undefined if the service has no such route.
   *
   * @throws ClientError `SIGNED_OUT`; StreamFailure
   */
  async call(
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { credentials } = this.#options;
    let answer = await this.#exchange(path, body, { fresh: false, signal });
    if (answer.status === 401) {
      credentials.drop();
      answer = await this.#exchange(path, body, { fresh: true, signal });
    }
    if (answer.status === 404) return undefined;
    if (answer.status === 200) return dataOf(answer.text);
    if (answer.status === 401) credentials.drop();
    throw refusal(answer.status, answer.text);
  }

  async #exchange(
    path: string,
    body: object | undefined,
    { fresh, signal }: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { clock } = this.#options;
    const credentials = await this.#options.credentials.get({ fresh, signal });
    if (credentials === undefined) {
      const text = 'A write checkpoint needs credentials, and there are none';
      throw new ClientError('SIGNED_OUT', text);
    }
    const onTimeout = () => new StreamFailure('TIMEOUT', 'The service did not answer');
    try {
      return await withTimeout(clock, { ms: TIMEOUT_MS, signal, onTimeout }, async (either) => {
        const response = await this.#send(`${credentials.endpoint}${path}`, {
          token: credentials.token,
          body,
          signal: either,
        });
        return { status: response.status, text: await response.text() };
      });
    } catch (error) {
      throw toStreamFailure(error);
    }
  }

  #send(
    url: string,
    options: {
      readonly token: string;
      readonly body: object | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<Response> {
    const { fetch, userAgent } = this.#options;
    const { token, body, signal } = options;
    return fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Token ${token}`,
        'X-User-Agent': userAgent,
      },
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

function dataOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const { data } = JSON.parse(text) as { data?: Readonly<Record<string, unknown>> };
    return data ?? {};
  } catch (cause) {
    throw new StreamFailure('PROTOCOL', 'The service answered with what is not JSON', { cause });
  }
}

/** Numbers that the service counts by itself. */
export class LegacyWriteCheckpoints implements WriteCheckpoints {
  readonly repeatAfterMs = undefined;
  readonly #calls: ServiceCalls;

  constructor(calls: ServiceCalls) {
    this.#calls = calls;
  }

  async request(signal: AbortSignal): Promise<bigint> {
    const path = `/write-checkpoint2.json?client_id=${encodeURIComponent(this.#calls.clientId)}`;
    const answer = await this.#calls.call(path, undefined, signal);
    if (answer === undefined) {
      throw new StreamFailure('SERVICE', 'The service has no route for write checkpoints');
    }
    return idOf(answer['write_checkpoint']);
  }

  /** The service remembers its numbers. */
  repeat(): Promise<void> {
    return Promise.resolve();
  }

  connected(): void {
    // nothing depends on the connection
  }
}

/** @throws StreamFailure `PROTOCOL` */
export function idOf(value: unknown): bigint {
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
  throw new StreamFailure('PROTOCOL', 'The service answered without a write checkpoint');
}
