import { hash } from 'node:crypto';

/** What is kept of the SHA-256 over a PUT. */
export interface PutDigest {
  /** Bytes 0 to 3 of the hash, little endian, as unsigned 32 bit: the checksum of the op. */
  readonly checksum: number;
  /**
   * Bytes 4 to 11 of the hash as eight characters U+0000 to U+00FF (a `latin1` string): compares
   * with `===`, and `Buffer.write(contentHash, at, 'latin1')` stores it in eight bytes.
   */
  readonly contentHash: string;
}

/**
 * Checksum of a PUT: the first four bytes of a SHA-256, little endian, as unsigned 32 bit.
 * Source: spec/protocol.md 4.3.
 */
export function putChecksum(objectType: string, objectId: string, data: string): number {
  return prefixOf(sha256(`put.${objectType}.${objectId}.${data}`));
}

/**
 * The checksum of a PUT together with a hash of its content from the same computation, so that
 * storage can tell for free whether a row's output changed.
 */
export function putDigest(objectType: string, objectId: string, data: string): PutDigest {
  const digest = sha256(`put.${objectType}.${objectId}.${data}`);
  return { checksum: prefixOf(digest), contentHash: digest.substring(4, 12) };
}

/** Checksum of a REMOVE; depends on the subkey alone. Source: spec/protocol.md 4.3. */
export function removeChecksum(subkey: string): number {
  return prefixOf(sha256(`delete.${subkey}`));
}

/** Sum modulo 2^32, as unsigned. */
export function addChecksums(a: number, b: number): number {
  return (a + b) >>> 0;
}

/**
 * The hash as 32 characters, one per byte. The one-shot function with a string result takes a
 * quarter of the time of `createHash` and half of a Buffer result (Node 20, 200-byte rows).
 */
function sha256(text: string): string {
  return hash('sha256', text, 'binary');
}

function prefixOf(digest: string): number {
  return (
    (digest.charCodeAt(0) |
      (digest.charCodeAt(1) << 8) |
      (digest.charCodeAt(2) << 16) |
      (digest.charCodeAt(3) << 24)) >>>
    0
  );
}
