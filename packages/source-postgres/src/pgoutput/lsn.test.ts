import { SourceError } from '@sluice/base';
import { describe, expect, test } from 'vitest';
import { compareLsn, formatLsn, normalizeLsn, parseLsn, readLsn } from './lsn.ts';

describe('WAL positions', () => {
  test.each([
    ['0/0', 0n, '00000000/00000000'],
    ['16/B374D848', 0x16_b374_d848n, '00000016/B374D848'],
    ['FFFFFFFF/FFFFFFFF', 0xffff_ffff_ffff_ffffn, 'FFFFFFFF/FFFFFFFF'],
    ['00000001/0000000a', 0x1_0000_000an, '00000001/0000000A'],
  ])('%s', (text, number, padded) => {
    expect(parseLsn(text)).toBe(number);
    expect(formatLsn(number)).toBe(padded);
    expect(normalizeLsn(text)).toBe(padded);
    const bytes = Buffer.alloc(10);
    bytes.writeBigUInt64BE(number, 1);
    expect(readLsn(bytes, 1)).toBe(padded);
  });

  test('text order is log order, and the empty position is before all', () => {
    const ordered = ['', ...[0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0x16_0000_0000n].map(formatLsn)];
    expect([...ordered].reverse().sort(compareLsn)).toEqual(ordered);
    expect(compareLsn(formatLsn(5n), formatLsn(5n))).toBe(0);
  });

  test.each(['', '5', '/', '1/', '1/G', '123456789/0', ' 1/1'])("refuses '%s'", (text) => {
    expect(() => parseLsn(text)).toThrow(SourceError);
  });
});
