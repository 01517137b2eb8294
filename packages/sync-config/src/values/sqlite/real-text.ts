import { realDigits } from './real-digits.ts';

/**
 * A REAL as TEXT, as the SQLite of this repository renders it: 17 significant digits, fewer where
 * those say the same; always with a point; from 1e17 and below 1e-4 with an exponent.
 * `1.0`, `0.30000000000000004`, `1.0e+17`, `-Inf`.
 */
export function sqliteRealText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return `${value}.0`;
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : value < 0 ? '-Inf' : 'NaN';
  const { digits, point } = realDigits(Math.abs(value), { significant: 17 });
  const sign = value < 0 ? '-' : '';
  const exponent = point - 1;
  return (
    sign + (exponent < -4 || exponent > 16 ? scientific(digits, exponent) : plain(digits, point))
  );
}

function scientific(digits: string, exponent: number): string {
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits.slice(0, 1)}.${digits.slice(1) || '0'}e${exponent < 0 ? '-' : '+'}${size}`;
}

function plain(digits: string, point: number): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return `${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`;
}
