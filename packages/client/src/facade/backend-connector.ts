import type { CrudEntry } from '../crud/crud-entry.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import { ClientError } from '../errors.ts';
import type { Credentials } from '../sync/session/credentials.ts';
import { outcomeOf, type BackendResult } from '../upload/backend-answer.ts';
import { BackendCalls } from '../upload/backend-calls.ts';
import type { UploadResult } from '../upload/upload-loop.ts';
import type { DatabaseConnector, SluiceDatabase } from './sluice-database.ts';
import type { BatchOptions, WaitingBatch } from './upload-access.ts';

export interface BackendConnectorOptions extends BatchOptions {
  /** Where the write API answers, e.g. `https://app.example.com`; usually the service itself. */
  readonly backendUrl: string;
  /** The app's own proof of who is signed in, sent to `GET /token`; null: nobody is. */
  readonly getToken?: (() => Promise<string | null | undefined>) | undefined;
  /** Added to `GET /token`, e.g. `{ user_id: 'ann' }` with development users. */
  readonly tokenParameters?: Readonly<Record<string, string>> | undefined;
  /** Where tokens come from otherwise; default: `GET /token` of the backend. */
  readonly fetchCredentials?: (() => Promise<Credentials | null>) | undefined;
  /** Told of each entry that the backend refused; it is a dead letter then, and the server's row comes back by itself. */
  readonly onRejected?: ((entry: CrudEntry, result: BackendResult) => void) | undefined;
  readonly fetch?: typeof fetch | undefined;
}

const MAX_ENTRIES = 500;
const SDK = 'sluice-js';

/**
 * A connector for apps whose backend is Sluice's write API: signs in at `GET /token`, and uploads to
 * `POST /upload` so that nothing is applied twice and nothing that is refused stops the queue.
 */
export function backendConnector(options: BackendConnectorOptions): DatabaseConnector {
  const connector = new BackendConnector(options);
  return {
    fetchCredentials: () => connector.fetchCredentials(),
    uploadData: (database, signal) => connector.uploadData(database, signal),
  };
}

class BackendConnector {
  readonly #options: BackendConnectorOptions;
  readonly #backendUrl: string;
  readonly #fetch: typeof fetch;
  readonly #calls: BackendCalls;
  #credentials: Credentials | undefined;
  /** Halved while uploads are too large for the backend. */
  #maxEntries = MAX_ENTRIES;

  constructor(options: BackendConnectorOptions) {
    this.#options = options;
    this.#backendUrl = options.backendUrl.replace(/\/+$/, '');
    // A method of the global object in browsers, which must not be called on another.
    this.#fetch = options.fetch ?? ((...parameters) => fetch(...parameters));
    this.#calls = new BackendCalls({
      backendUrl: this.#backendUrl,
      fetch: this.#fetch,
      token: ({ fresh }) => this.#token(fresh),
      sdk: SDK,
    });
  }

  async fetchCredentials(): Promise<Credentials | null> {
    const credentials = await (this.#options.fetchCredentials ?? (() => this.#signIn()))();
    this.#credentials = credentials ?? undefined;
    return credentials;
  }

  /** One batch; the loop asks again while entries are left. */
  async uploadData(database: SluiceDatabase, signal: AbortSignal): Promise<UploadResult | void> {
    const { coalesce } = this.#options;
    const batch = await database.getCrudBatch(this.#maxEntries, { coalesce });
    if (batch === null) return undefined;
    const sent = await this.#calls.send(await database.getClientId(), batch.crud, signal);
    if (sent.kind === 'answered') return this.#settle(batch, sent.results);
    if (sent.kind === 'later') {
      if (sent.retryAfterMs !== undefined) return { retryAfterMs: sent.retryAfterMs };
      throw new ClientError('BACKEND', `The backend answered ${sent.status}`);
    }
    const [first] = batch.crud;
    if (batch.crud.length > 1 || first === undefined) {
      this.#maxEntries = Math.ceil(batch.crud.length / 2);
      return this.uploadData(database, signal);
    }
    // Nobody will ever take it, so it must not stop what comes after.
    const tooLarge = { status: 'rejected', code: 'TOO_LARGE', message: 'The row is too large' };
    return this.#settle(batch, new Map([[first.clientId, tooLarge as BackendResult]]));
  }

  async #settle(
    batch: WaitingBatch,
    results: ReadonlyMap<number, BackendResult>,
  ): Promise<UploadResult> {
    const outcomes = new Map<number, EntryOutcome>();
    for (const entry of batch.crud) {
      const result = results.get(entry.clientId);
      if (result === undefined) continue;
      const outcome = outcomeOf(result);
      outcomes.set(entry.clientId, outcome);
      if (outcome.kind === 'reject') this.#options.onRejected?.(entry, result);
    }
    const settled = await batch.settle(outcomes);
    this.#maxEntries = Math.min(MAX_ENTRIES, this.#maxEntries * 2);
    return settled;
  }

  async #token(fresh: boolean): Promise<string | undefined> {
    const { expiresAt } = this.#credentials ?? {};
    const isOver = expiresAt !== undefined && expiresAt.getTime() <= Date.now();
    if (fresh || isOver || this.#credentials === undefined) await this.fetchCredentials();
    return this.#credentials?.token;
  }

  async #signIn(): Promise<Credentials | null> {
    const { getToken, tokenParameters } = this.#options;
    const proof = await getToken?.();
    if (getToken !== undefined && !proof) return null;
    const query = tokenParameters ? `?${new URLSearchParams(tokenParameters).toString()}` : '';
    const response = await this.#fetch(`${this.#backendUrl}/token${query}`, {
      headers: proof ? { Authorization: `Bearer ${proof}` } : {},
      credentials: 'include',
    });
    if (response.status === 401 || response.status === 403) return null;
    if (!response.ok) {
      throw new ClientError('CREDENTIALS', `The backend answered ${response.status} to GET /token`);
    }
    return credentialsOf((await response.json()) as TokenAnswer, this.#backendUrl);
  }
}

interface TokenAnswer {
  readonly token: string;
  readonly endpoint?: string;
  readonly powersync_url?: string;
  /** Seconds or milliseconds since 1970, or a date as text. */
  readonly expires_at?: number | string;
}

function credentialsOf(answer: TokenAnswer, backendUrl: string): Credentials {
  const { token, expires_at: expires } = answer;
  const endpoint = (answer.endpoint ?? answer.powersync_url ?? backendUrl).replace(/\/+$/, '');
  if (expires === undefined) return { token, endpoint };
  const isSeconds = typeof expires === 'number' && expires < 1e11;
  return { token, endpoint, expiresAt: new Date(isSeconds ? expires * 1000 : expires) };
}
