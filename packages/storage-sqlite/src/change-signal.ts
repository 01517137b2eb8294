import { BroadcastChannel } from 'node:worker_threads';
import { dataVersion, type Database } from './database.ts';

/** What may have changed. A generation's number stands for its checkpoint. */
export type ChangeTopic = 'generations' | 'write-checkpoints' | number;

type Listener = (topic: ChangeTopic | 'anything') => void;

export interface ChangeSignalOptions {
  /** The real path of the storage: the same for all who open it, whatever way they name it. */
  readonly realPath: string;
  /** Watched for changes by other processes. */
  readonly databases: readonly Database[];
  readonly pollMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Tells listeners in every thread of this process at once that something changed, and, by polling,
 * of changes by other processes. It says only where to look: listeners read the database, so a
 * message that is lost or comes twice does no harm.
 */
export class ChangeSignal {
  readonly #options: ChangeSignalOptions;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Set<Listener>();
  #versions: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChangeSignalOptions) {
    this.#options = options;
    this.#channel = new BroadcastChannel(channelName(options.realPath));
    this.#channel.unref();
    this.#channel.onmessage = (event: unknown) => {
      this.#tell((event as { readonly data: ChangeTopic }).data);
    };
  }

  /** To be called after the change has been committed. */
  announce(topic: ChangeTopic): void {
    this.#channel.postMessage(topic);
    this.#tell(topic);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#startPolling();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stopPolling();
    };
  }

  close(): void {
    this.#stopPolling();
    this.#channel.close();
    this.#tell('anything');
    this.#listeners.clear();
  }

  #tell(topic: ChangeTopic | 'anything'): void {
    for (const listener of this.#listeners) listener(topic);
  }

  #startPolling(): void {
    if (this.#timer) return;
    this.#versions = this.#options.databases.map(dataVersion);
    this.#timer = setInterval(() => this.#poll(), this.#options.pollMs);
    this.#timer.unref();
  }

  #stopPolling(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    try {
      const versions = this.#options.databases.map(dataVersion);
      const same = versions.every((version, index) => version === this.#versions[index]);
      this.#versions = versions;
      if (!same) this.#tell('anything');
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** The channel on which a storage's changes are announced within one process. */
export function channelName(realPath: string): string {
  return `sluice-storage:${realPath}`;
}
