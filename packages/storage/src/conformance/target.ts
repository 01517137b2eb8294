import type { BucketStorage } from '../contract.ts';

/** An implementation of `BucketStorage` as the suite drives it. */
export interface StorageTarget {
  readonly name: string;
  /** A new, empty storage. */
  readonly open: () => Promise<BucketStorage>;
  /** Opens what `former` held, after `former` was disposed. */
  readonly reopen?: ((former: BucketStorage) => Promise<BucketStorage>) | undefined;
  /** Ends `former` as a crash would, without disposing it, and opens what it held. */
  readonly crash?: ((former: BucketStorage) => Promise<BucketStorage>) | undefined;
  /** Opens the same data once more beside `former`, as another process would. */
  readonly second?: ((former: BucketStorage) => Promise<BucketStorage>) | undefined;
  /** How many random histories to run; 20 unless told. */
  readonly histories?: number | undefined;
}
