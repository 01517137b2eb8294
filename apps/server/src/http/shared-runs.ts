/** Above this size compression runs beside the event loop. */
const SYNC_BYTES = 32 * 1024;

/** Compresses a part in such a way that results one after the other are the parts one after the other. */
export interface RunCompressor {
  compressSync(part: Uint8Array): Uint8Array;
  /** Beside the event loop. */
  compress(part: Uint8Array): Promise<Uint8Array>;
}

/**
 * The compressed form of parts, made once for all connections (design D3): known by the very object that the
 * hub hands to every connection that gets these bytes, and let go of together with it.
 */
export class SharedRuns {
  readonly #compressor: RunCompressor;
  readonly #runs = new WeakMap<Uint8Array, Promise<Uint8Array>>();

  constructor(compressor: RunCompressor) {
    this.#compressor = compressor;
  }

  /** What all connections are sent for this part. */
  of(part: Uint8Array): Promise<Uint8Array> {
    const known = this.#runs.get(part);
    if (known) return known;
    const run =
      part.byteLength <= SYNC_BYTES
        ? Promise.resolve(this.#compressor.compressSync(part))
        : this.#compressor.compress(part);
    this.#runs.set(part, run);
    return run;
  }
}
