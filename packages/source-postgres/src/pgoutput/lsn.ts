import { SourceError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';

const HEX = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0').toUpperCase(),
);

/**
 * A WAL position as `XXXXXXXX/XXXXXXXX` from the 8 bytes at `offset`, which must lie within the
 * buffer. Zero-padded, so that text order is WAL order (spec/sync-config.md 20.1).
 */
export function readLsn(buffer: Buffer, offset: number): SourcePosition {
  let text = '';
  for (let i = offset; i < offset + 8; i++) {
    if (i === offset + 4) text += '/';
    text += HEX[buffer[i] ?? 0] ?? '';
  }
  return text;
}

/** The number behind a position, padded or not: `16/B374D848` is 0x16B374D848. */
export function parseLsn(position: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(position);
  if (!match) {
    throw new SourceError('SOURCE_PROTOCOL', `'${position}' is not a WAL position`);
  }
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** The inverse of `parseLsn`, zero-padded. */
export function formatLsn(lsn: bigint): SourcePosition {
  const digits = BigInt.asUintN(64, lsn).toString(16).toUpperCase().padStart(16, '0');
  return `${digits.slice(0, 8)}/${digits.slice(8)}`;
}

/** A position as PostgreSQL prints it, `16/B374D848`, in the padded form. */
export function normalizeLsn(position: string): SourcePosition {
  return formatLsn(parseLsn(position));
}

/** Negative when `a` lies before `b`. Both padded; the empty position lies before all others. */
export function compareLsn(a: SourcePosition, b: SourcePosition): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
