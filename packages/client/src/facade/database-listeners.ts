import type { CompiledSchema } from '../schema/compiled-schema.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';

export interface DatabaseListener {
  readonly statusChanged?: (status: SyncStatus) => void;
  /** Entries left the upload queue, or a dead letter came or went. Local writes are told by `onChange`. */
  readonly uploadsChanged?: () => void;
  readonly schemaChanged?: (schema: CompiledSchema) => void;
  readonly closing?: () => void;
  readonly closed?: () => void;
}

/** Whoever wants to know of the database; what one of them throws keeps nothing from the others. */
export class DatabaseListeners {
  readonly #listeners = new Set<{ readonly listener: DatabaseListener }>();
  readonly #onProblem: (problem: unknown) => void;

  constructor(onProblem: (problem: unknown) => void) {
    this.#onProblem = onProblem;
  }

  /** Returns what ends it. Each call counts by itself. */
  add(listener: DatabaseListener): () => void {
    const own = { listener };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(call: (listener: DatabaseListener) => void): void {
    for (const { listener } of Array.from(this.#listeners)) {
      try {
        call(listener);
      } catch (error) {
        this.#onProblem(error);
      }
    }
  }
}
