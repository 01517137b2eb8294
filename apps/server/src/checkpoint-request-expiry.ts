import { failureFacts, pause, type Clock, type Logger } from '@sluice/base';
import type { WriteCheckpointStore } from '@sluice/storage';

export interface CheckpointRequestExpiryOptions {
  /** Undefined while storage is not open. */
  readonly store: () => Pick<WriteCheckpointStore, 'expireRequests'> | undefined;
  readonly retentionMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PAUSE_MS = 60_000;

/**
 * Forgets checkpoint requests that were made long ago (spec/protocol.md 5.2). A client that still
 * waits for one makes it again, which keeps it.
 */
export class CheckpointRequestExpiry {
  readonly #options: CheckpointRequestExpiryOptions;

  constructor(options: CheckpointRequestExpiryOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; a failure of storage is logged, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await pause(clock, PAUSE_MS, signal);
      if (signal.aborted) return;
      await this.#expire();
    }
  }

  async #expire(): Promise<void> {
    const { store, retentionMs, clock, logger } = this.#options;
    try {
      const expired = await store()?.expireRequests(clock.now() - retentionMs);
      if (expired) logger.debug('checkpoint_requests_expired', { expired });
    } catch (error) {
      logger.warn('checkpoint_request_expiry_failed', { ...failureFacts(error) });
    }
  }
}
