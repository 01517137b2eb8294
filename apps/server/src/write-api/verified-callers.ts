import { requireToken, type VerifiedToken } from '@sluice/auth';
import type { Clock } from '@sluice/base';
import { callerOf, type Caller } from '@sluice/write-api';

export interface VerifiedCallersOptions {
  readonly verify: (token: string) => Promise<VerifiedToken>;
  readonly clock: Clock;
}

interface Verified {
  readonly caller: Caller;
  readonly expiresAtMs: number;
  readonly verifiedAtMs: number;
}

/** With more, all are verified again. */
const MAX_TOKENS = 10_000;
/** A key that is taken out of use stops counting after at most so long. */
const MAX_AGE_MS = 30_000;

/** Who sends a request. A token is verified once, and then believed for a short while. */
export class VerifiedCallers {
  readonly #options: VerifiedCallersOptions;
  readonly #known = new Map<string, Verified>();

  constructor(options: VerifiedCallersOptions) {
    this.#options = options;
  }

  /** @throws SyncError `SYNC_TOKEN_*`, `SYNC_KEYS_*`. */
  async caller(request: Request): Promise<Caller> {
    const token = requireToken(request.headers.get('authorization') ?? undefined);
    const nowMs = this.#options.clock.now();
    const known = this.#known.get(token);
    if (known && nowMs < known.expiresAtMs && nowMs - known.verifiedAtMs < MAX_AGE_MS) {
      return known.caller;
    }
    const verified = await this.#options.verify(token);
    const { expiresAtMs } = verified;
    const caller = callerOf(verified);
    if (this.#known.size >= MAX_TOKENS) this.#known.clear();
    this.#known.set(token, { caller, expiresAtMs, verifiedAtMs: nowMs });
    return caller;
  }
}
