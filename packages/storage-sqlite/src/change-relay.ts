import { realpathSync } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';
import { channelName, type ChangeTopic } from './change-signal.ts';

export interface ChangeRelayOptions {
  /** The database file; it must exist. */
  readonly path: string;
  /** Called with what any thread of this process announces, never with what `tell` brought. */
  readonly onChange: (change: ChangeTopic) => void;
}

/**
 * Carries announcements of changes between processes, over whatever way the caller has: each process
 * hands on what it hears, and tells what it got from others. Without it others notice a change at
 * their next poll; a relay that loses one does no harm beyond that.
 */
export class ChangeRelay implements Disposable {
  readonly #channel: BroadcastChannel;

  constructor({ path, onChange }: ChangeRelayOptions) {
    this.#channel = new BroadcastChannel(channelName(realpathSync(path)));
    this.#channel.unref();
    this.#channel.onmessage = (event: unknown) => {
      onChange((event as { readonly data: ChangeTopic }).data);
    };
  }

  /** Tells all threads of this process of a change that another process made. */
  tell(change: ChangeTopic): void {
    this.#channel.postMessage(change);
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
