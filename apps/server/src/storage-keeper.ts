import {
  Backoff,
  pause,
  StorageError,
  toAppError,
  type AppError,
  type Clock,
  type Logger,
} from '@sluice/base';
import type { BucketStorage } from '@sluice/storage';

export interface StorageKeeperOptions<T> {
  readonly open: () => Promise<BucketStorage>;
  /** Called once with the open storage; what it gives is kept beside it. */
  readonly use: (storage: BucketStorage) => T;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface OpenedStorage<T> {
  readonly storage: BucketStorage;
  readonly used: T;
}

/** Opens bucket storage, and tries again until it succeeds: the service starts without it. */
export class StorageKeeper<T> {
  readonly #options: StorageKeeperOptions<T>;
  #opened: OpenedStorage<T> | undefined;
  #error: AppError | undefined;

  constructor(options: StorageKeeperOptions<T>) {
    this.#options = options;
  }

  get opened(): OpenedStorage<T> | undefined {
    return this.#opened;
  }

  /** @throws StorageError why it is not open. */
  require(): OpenedStorage<T> {
    if (this.#opened) return this.#opened;
    if (this.#error) throw this.#error;
    throw new StorageError('STORAGE_UNAVAILABLE', 'Bucket storage is not open yet');
  }

  /** Returns once storage is open, or at the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { open, use, clock, logger, random } = this.#options;
    const backoff = new Backoff({ firstMs: 250, maxMs: 5000, jitter: 0.2, random });
    while (!signal.aborted) {
      try {
        const storage = await open();
        this.#opened = { storage, used: use(storage) };
        if (this.#error) logger.info('storage_recovered');
        this.#error = undefined;
        return;
      } catch (error) {
        const { code, message, remedy } = toAppError(error);
        const isNew = this.#error?.code !== code;
        this.#error = toAppError(error);
        if (isNew) logger.error('storage_open_failed', { code, message, remedy });
      }
      await pause(clock, backoff.nextDelayMs(), signal);
    }
  }
}
