import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { RunCompressor } from './shared-runs.ts';

/** The fastest: what higher levels save of a segment is not worth their time (docs/decisions/2026-11-26-zstd.md). */
const LEVEL = 1;

/**
 * What makes zstd frames, each complete in itself, if this runtime has it: Node.js has since 22.15. This is the
 * one place that looks; whatever depends on the answer is given it.
 */
export function runtimeZstd(runtime: object = zlib): RunCompressor | undefined {
  if (!hasZstd(runtime)) return undefined;
  const options = { params: { [runtime.constants.ZSTD_c_compressionLevel]: LEVEL } };
  const compress = promisify<Uint8Array, object, Uint8Array>(runtime.zstdCompress);
  return {
    compressSync: (part) => runtime.zstdCompressSync(part, options),
    compress: (part) => compress(part, options),
  };
}

/** Node's types are those of the oldest runtime, which has none of them. */
interface ZstdFunctions {
  zstdCompressSync(bytes: Uint8Array, options: object): Uint8Array;
  readonly zstdCompress: (
    bytes: Uint8Array,
    options: object,
    done: (error: Error | null, result: Uint8Array) => void,
  ) => void;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

function hasZstd(runtime: object): runtime is ZstdFunctions {
  return 'zstdCompress' in runtime && 'zstdCompressSync' in runtime;
}
