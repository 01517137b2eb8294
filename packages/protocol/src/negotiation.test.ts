import { describe, expect, test } from 'vitest';
import { negotiateEncoding, negotiateFormat } from './negotiation.ts';

const N = 'application/x-ndjson';
const B = 'application/vnd.powersync.bson-stream';

/** Vectors of spec/protocol.md 11.9, and cases around them. */
describe('negotiateFormat', () => {
  test.each([
    [undefined, 'ndjson'],
    ['*/*', 'ndjson'],
    ['application/*', 'ndjson'],
    ['application/json', 'ndjson'],
    [`${B};q=0.9,${N};q=0.8`, 'bson'],
    [N, 'ndjson'],
    [`${N},${B}`, 'ndjson'],
    [`${B},${N}`, 'bson'],
    [B, 'bson'],
    [B.toUpperCase(), 'bson'],
    [`${B}, */*`, 'bson'],
    [`${B};q=0.1, */*;q=0.5`, 'ndjson'],
    [`${N};q=0, ${B}`, 'bson'],
    [`${B};q=0, ${N};q=0`, 'ndjson'],
    ['', 'ndjson'],
  ])('%s gives %s', (accept, expected) => {
    expect(negotiateFormat(accept)).toBe(expected);
  });
});

describe('negotiateEncoding', () => {
  test.each([
    [undefined, 'identity'],
    ['identity', 'identity'],
    ['br', 'identity'],
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['zstd', 'zstd'],
    ['*', 'zstd'],
    ['gzip;q=1, zstd;q=0.5', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['identity;q=1, gzip;q=0.5', 'identity'],
    ['*;q=0', 'identity'],
  ])('%s gives %s', (header, expected) => {
    expect(negotiateEncoding(header, { zstd: true })).toBe(expected);
  });

  test.each([
    ['gzip, deflate, br, zstd', 'gzip'],
    ['zstd', 'identity'],
    ['*', 'gzip'],
  ])('%s without zstd gives %s', (header, expected) => {
    expect(negotiateEncoding(header, { zstd: false })).toBe(expected);
  });
});
