import { must } from '@sluice/base';
import type { ContentEncoding } from '@sluice/protocol';
import { gzipEncoder } from './gzip-encoder.ts';
import type { RunCompressor } from './shared-runs.ts';
import { identityEncoder, type StreamEncoder } from './stream-encoder.ts';
import { zstdEncoder } from './zstd-encoder.ts';

/** The compressions that a server can offer, and what makes them. */
export class StreamEncoders {
  readonly #zstd: StreamEncoder | undefined;

  /** `zstd` is left out where the runtime has none. */
  constructor(zstd: RunCompressor | undefined) {
    this.#zstd = zstd && zstdEncoder(zstd);
  }

  get supported(): { readonly zstd: boolean } {
    return { zstd: this.#zstd !== undefined };
  }

  /** For one stream, with one of what is supported. */
  open(encoding: ContentEncoding): StreamEncoder {
    if (encoding === 'identity') return identityEncoder();
    if (encoding === 'gzip') return gzipEncoder();
    return must(this.#zstd, 'zstd, which was negotiated,');
  }
}
