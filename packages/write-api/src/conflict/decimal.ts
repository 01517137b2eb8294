import type { SqliteValue } from '@sluice/model';

/** `digits` × 10^-`scale`, exact. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Beyond it a number is no amount of anything, and its digits would only cost time. */
const MAX_SCALE = 400;

/** The number that a value is or spells; undefined for other texts, BLOBs, NULL and infinities. */
export function parseDecimal(value: SqliteValue): Decimal | undefined {
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  if (value === null || value instanceof Uint8Array) return undefined;
  const match = /^\s*([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\s*$/.exec(String(value));
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > MAX_SCALE) return undefined;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

export function addDecimals(a: Decimal, b: Decimal, sign: 1n | -1n = 1n): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: scaled(a, scale) + sign * scaled(b, scale), scale };
}

/** `12.50` for 1250 of scale 2; zeros at the end stay. */
export function formatDecimal({ digits, scale }: Decimal): string {
  if (scale === 0) return String(digits);
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const sign = digits < 0n ? '-' : '';
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

function scaled({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale);
}
