import type { CrudEntry } from '../crud/crud-entry.ts';
import { formatUploadEntry } from '../crud/entry-values.ts';
import { ClientError } from '../errors.ts';
import { backendResults, type BackendResult } from './backend-answer.ts';

export interface BackendCallsOptions {
  /** Without a slash at its end. */
  readonly backendUrl: string;
  readonly fetch: typeof fetch;
  /** A token for the upload; a new one after the backend refused the last. */
  readonly token: (options: { readonly fresh: boolean }) => Promise<string | undefined>;
  /** Names this kind of client to the backend. */
  readonly sdk: string;
}

/** What came of sending entries. */
export type Sent =
  | { readonly kind: 'answered'; readonly results: ReadonlyMap<number, BackendResult> }
  | { readonly kind: 'too large' }
  /** A passing fault; undefined: the backend did not say how long. */
  | { readonly kind: 'later'; readonly retryAfterMs: number | undefined; readonly status: number };

/** Bodies from this size on are compressed. */
const GZIP_FROM_LENGTH = 16_384;

/** Sends entries to a backend as `@sluice/write-api` takes them (spec/client.md 6.5). */
export class BackendCalls {
  readonly #options: BackendCallsOptions;

  constructor(options: BackendCallsOptions) {
    this.#options = options;
  }

  /**
   * One request, and a second with a fresh token if the first was refused for its token.
   *
   * @throws ClientError `SIGNED_OUT`; `BACKEND` for an answer that sending again will not change
   */
  async send(clientId: string, entries: readonly CrudEntry[], signal: AbortSignal): Promise<Sent> {
    const list = entries.map(formatUploadEntry).join(',');
    const head = `"clientId":${JSON.stringify(clientId)},"sdk":${JSON.stringify(this.#options.sdk)}`;
    const body = `{${head},"entries":[${list}]}`;
    let response = await this.#post(body, { fresh: false, signal });
    if (response.status === 401) response = await this.#post(body, { fresh: true, signal });
    const { status } = response;
    if (status === 200) return { kind: 'answered', results: backendResults(await response.text()) };
    if (status === 413) return { kind: 'too large' };
    const isPassing = status === 408 || status === 429 || status >= 500;
    if (isPassing) return { kind: 'later', retryAfterMs: retryAfterMs(response), status };
    const text = (await response.text()).slice(0, 500);
    throw new ClientError('BACKEND', `The backend answered ${status}: ${text}`);
  }

  async #post(
    body: string,
    { fresh, signal }: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<Response> {
    const { fetch, backendUrl } = this.#options;
    const token = await this.#options.token({ fresh });
    if (token === undefined) throw new ClientError('SIGNED_OUT', 'An upload needs a token');
    const isLarge = body.length >= GZIP_FROM_LENGTH && typeof CompressionStream === 'function';
    return fetch(`${backendUrl}/upload`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token}`,
        ...(isLarge ? { 'Content-Encoding': 'gzip' } : {}),
      },
      body: isLarge ? await gzipped(body) : body,
      signal,
    });
  }
}

function gzipped(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

/** The header's seconds; a date there is rare, and then the client's own delays do. */
function retryAfterMs(response: Response): number | undefined {
  const header = response.headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
