import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addChecksums, putChecksum, putDigest, removeChecksum } from './checksum.ts';

const DATA = '{"id":"L1","name":"Café","n":2,"r":2.0,"x":null}';

describe('checksums', () => {
  test('a PUT hashes type, id and data (spec 11.1)', () => {
    expect(putChecksum('lists', 'L1', DATA)).toBe(2971632449);
  });

  test('the digest carries the same checksum and the following eight bytes', () => {
    const digest = putDigest('lists', 'L1', DATA);
    expect(digest.checksum).toBe(2971632449);
    expect(Buffer.from(digest.contentHash, 'latin1').toString('hex')).toBe('91b79cd46a77525f');
  });

  test('a REMOVE hashes its subkey (spec 11.3)', () => {
    expect(removeChecksum('65a1b2c3d4e5f60718293a4b/c52223e6-5b64-5e0e-870b-c3a0de0c2680')).toBe(
      1067339029,
    );
  });

  test('sums wrap at 2^32 (spec 11.5)', () => {
    expect(addChecksums(3603514498, 3247161619)).toBe(2555708821);
  });

  test('text of any script and size hashes as UTF-8', () => {
    for (const data of ['', 'ß', '漢字', '😀'.repeat(1000), 'x'.repeat(100_000)]) {
      const oracle = createHash('sha256')
        .update(Buffer.from(`put.t.i.${data}`))
        .digest();
      expect(putChecksum('t', 'i', data)).toBe(oracle.readUInt32LE(0));
    }
  });
});
