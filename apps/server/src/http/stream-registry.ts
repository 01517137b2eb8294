import { SyncError } from '@sluice/base';

/** Counts the open sync streams, and refuses new ones while the service stops. */
export class StreamRegistry {
  #size = 0;
  #refuses = false;
  /** Streams cut since the start because their clients took nothing; plain for who counts. */
  droppedSlow = 0;

  get size(): number {
    return this.#size;
  }

  refuseNew(): void {
    this.#refuses = true;
  }

  /** @throws SyncError `SYNC_SHUTTING_DOWN`. */
  assertOpen(): void {
    if (this.#refuses) throw new SyncError('SYNC_SHUTTING_DOWN', 'The service is stopping');
  }

  /** Returns what ends the count of this stream. */
  add(): () => void {
    this.#size += 1;
    return () => {
      this.#size -= 1;
    };
  }
}
