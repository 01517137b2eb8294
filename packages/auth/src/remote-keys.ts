import { isJsonObject, pause, SyncError, toAppError, type Clock, type Logger } from '@sluice/base';
import { AttemptBudget } from './attempt-budget.ts';
import { jsonWebKeyProblem, type PublicOrSharedKey } from './json-web-key.ts';
import type { KeyLookup, KeySource, VerificationKey } from './key-set.ts';

export interface RemoteKeysOptions {
  readonly url: string;
  /** Gets the parsed JSON of a document; rejects when that fails or takes too long (`jsonFetcher`). */
  readonly fetchJson: (url: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For keys of a known issuer. */
  readonly audience?: readonly string[] | undefined;
  readonly maxLifetimeSeconds?: number | undefined;
}

const REFRESH_MS = 5 * 60_000;
const EXPIRY_MS = 60 * 60_000;
const WAIT_MS = 3_000;

/**
 * The keys behind a `jwks_uri` (spec/protocol.md 7.2). Cached keys are used at once and refreshed in
 * the background; only without usable keys does a request wait for the fetch, for at most 3 s.
 */
export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions;
  readonly #budget: AttemptBudget;
  #keys: readonly VerificationKey[] | undefined;
  #fetchedAtMs = -Infinity;
  #attemptedAtMs = -Infinity;
  #error: SyncError | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    this.#budget = new AttemptBudget(options.clock);
  }

  async lookup(): Promise<KeyLookup> {
    const cached = this.#usable();
    if (cached) {
      const isDue = this.#options.clock.now() - this.#attemptedAtMs >= REFRESH_MS;
      if (isDue || this.#error) this.refreshSoon();
      return { keys: cached };
    }
    this.refreshSoon();
    await this.#waitForFetch();
    const keys = this.#usable();
    return keys ? { keys } : { keys: [], error: this.#error ?? this.#failure('took too long') };
  }

  refreshSoon(): void {
    if (this.#running || !this.#budget.take()) return;
    this.#attemptedAtMs = this.#options.clock.now();
    this.#running = this.#fetch().finally(() => (this.#running = undefined));
  }

  #usable(): readonly VerificationKey[] | undefined {
    return this.#options.clock.now() - this.#fetchedAtMs < EXPIRY_MS ? this.#keys : undefined;
  }

  async #waitForFetch(): Promise<void> {
    if (!this.#running) return;
    const timer = new AbortController();
    const timeout = pause(this.#options.clock, WAIT_MS, timer.signal);
    await Promise.race([this.#running, timeout]);
    timer.abort();
  }

  async #fetch(): Promise<void> {
    const { url, fetchJson, clock, logger } = this.#options;
    try {
      this.#keys = this.#parse(await fetchJson(url));
      this.#fetchedAtMs = clock.now();
      if (this.#error) logger.info('auth_keys_recovered', { url });
      this.#error = undefined;
    } catch (error) {
      const isNew = this.#error === undefined;
      this.#error = this.#failure(toAppError(error).message, error);
      const { code, message } = this.#error;
      if (isNew) logger.warn('auth_keys_failed', { url, code, message });
    }
  }

  #parse(document: unknown): readonly VerificationKey[] {
    const keys = isJsonObject(document) ? document['keys'] : undefined;
    if (!Array.isArray(keys)) throw new Error('the answer is not a JSON object with a keys list');
    const { audience, maxLifetimeSeconds } = this.#options;
    return keys.filter(isVerificationKey).map((jwk) => ({ jwk, audience, maxLifetimeSeconds }));
  }

  /** Has the code of what refused the address. */
  #failure(reason: string, cause?: unknown): SyncError {
    return new SyncError(
      cause instanceof SyncError ? cause.code : 'SYNC_KEYS_UNAVAILABLE',
      `The keys at ${this.#options.url} could not be fetched: ${reason}`,
      { cause },
    );
  }
}

/** Public keys for signatures; shared secrets (`oct`) are never taken from the network. */
function isVerificationKey(value: unknown): value is PublicOrSharedKey {
  if (!isJsonObject(value)) return false;
  const { kty, use, key_ops: operations } = value;
  if (typeof kty !== 'string' || !['RSA', 'OKP', 'EC'].includes(kty)) return false;
  if (typeof use === 'string' && use !== 'sig') return false;
  if (Array.isArray(operations) && !operations.includes('verify')) return false;
  return jsonWebKeyProblem({ kid: '', ...value }) === undefined;
}
