import { orAborted } from '../clock.ts';
import { ClientError } from '../errors.ts';
import type { DatabaseAccess } from './database-access.ts';

/** What the backend has committed up to some moment is on its way (spec/client.md 1.5). */
export interface CheckpointRequest {
  /** Whether it is known to be in the tables: for sure once `waitForSync` has resolved. */
  readonly hasSynced: boolean;
  /**
   * Resolves when all of it is in the tables.
   *
   * @throws ClientError that says why a download or upload failed, `STOPPED`; the signal's reason; DatabaseClosedError
   */
  waitForSync(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** Over whoever has the database. Begins to look for its checkpoint at once, so that none is missed. */
export class RequestedCheckpoint implements CheckpointRequest {
  readonly #access: DatabaseAccess;
  readonly #checkpoint: string;
  #hasSynced = false;
  #isWaiting = false;
  #waiting: Promise<void> = Promise.resolve();

  constructor(access: DatabaseAccess, checkpoint: string) {
    this.#access = access;
    this.#checkpoint = checkpoint;
    // Whoever calls `waitForSync` is told, by this wait or a new one.
    this.#wait().catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  async waitForSync({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#hasSynced) return;
    await (signal === undefined ? this.#wait() : orAborted(this.#wait(), signal));
  }

  /** One for all who wait. */
  #wait(): Promise<void> {
    if (!this.#isWaiting) this.#waiting = this.#begin();
    return this.#waiting;
  }

  async #begin(): Promise<void> {
    this.#isWaiting = true;
    try {
      await this.#access.checkpointApplied(this.#checkpoint, this.#access.closing);
      this.#hasSynced = true;
    } finally {
      this.#isWaiting = false;
    }
  }
}
