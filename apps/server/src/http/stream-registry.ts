import { SyncError } from '@sluice/base';
import { END_REASONS, type EndReason } from './stream-end.ts';

export type Transport = 'http' | 'websocket';

export interface StreamCounts {
  readonly open: Readonly<Record<Transport, number>>;
  readonly closed: Readonly<Record<EndReason, number>>;
  /** Those of `closed.client_too_slow`. */
  readonly tooSlow: Readonly<Record<Transport, number>>;
}

/** Counts the sync streams, and refuses new ones while the service stops. */
export class StreamRegistry {
  readonly #open: Record<Transport, number> = { http: 0, websocket: 0 };
  readonly #closed = Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<
    EndReason,
    number
  >;
  readonly #tooSlow: Record<Transport, number> = { http: 0, websocket: 0 };
  #refuses = false;

  get counts(): StreamCounts {
    return {
      open: { ...this.#open },
      closed: { ...this.#closed },
      tooSlow: { ...this.#tooSlow },
    };
  }

  /** Whether the service stops. */
  get isStopping(): boolean {
    return this.#refuses;
  }

  refuseNew(): void {
    this.#refuses = true;
  }

  /** @throws SyncError `SYNC_SHUTTING_DOWN`. */
  assertOpen(): void {
    if (this.#refuses) throw new SyncError('SYNC_SHUTTING_DOWN', 'The service is stopping');
  }

  /** Returns what is to be called when the stream has ended. */
  add(transport: Transport): (reason: EndReason) => void {
    this.#open[transport] += 1;
    return (reason) => {
      this.#open[transport] -= 1;
      this.#closed[reason] += 1;
      if (reason === 'client_too_slow') this.#tooSlow[transport] += 1;
    };
  }
}
