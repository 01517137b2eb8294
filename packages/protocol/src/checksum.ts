import { createHash } from 'node:crypto';

/**
 * Checksum of a PUT: the first four bytes of a SHA-256, little endian, as unsigned 32 bit.
 * Source: spec/protocol.md 4.3.
 */
export function putChecksum(objectType: string, objectId: string, data: string): number {
  return sha256Prefix(`put.${objectType}.${objectId}.${data}`);
}

/** Checksum of a REMOVE; depends on the subkey alone. Source: spec/protocol.md 4.3. */
export function removeChecksum(subkey: string): number {
  return sha256Prefix(`delete.${subkey}`);
}

/** Sum modulo 2^32, as unsigned. */
export function addChecksums(a: number, b: number): number {
  return (a + b) >>> 0;
}

function sha256Prefix(text: string): number {
  return createHash('sha256').update(text, 'utf8').digest().readUInt32LE(0);
}
