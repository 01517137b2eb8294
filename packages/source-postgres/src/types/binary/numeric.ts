import { malformedValue } from '../malformed-value.ts';

const NEGATIVE = 0x4000;
const SPECIAL: Readonly<Record<number, string>> = {
  0xc000: 'NaN',
  0xd000: 'Infinity',
  0xf000: '-Infinity',
};

/**
 * A numeric as text. The binary form is int16 count of digits, int16 weight, uint16 sign, uint16
 * decimals to show, then that many digits of base 10000; the first one counts 10000 ^ weight.
 */
export function decodeNumeric(buffer: Buffer, start: number, end: number): string {
  if (end - start < 8) throw malformedValue('numeric');
  const count = buffer.readUInt16BE(start);
  const weight = buffer.readInt16BE(start + 2);
  const sign = buffer.readUInt16BE(start + 4);
  const scale = buffer.readUInt16BE(start + 6);
  if (end - start !== 8 + 2 * count) throw malformedValue('numeric');
  const special = SPECIAL[sign];
  if (special !== undefined) return special;
  if (sign !== 0 && sign !== NEGATIVE) throw malformedValue('numeric');

  const group = (index: number) =>
    index >= 0 && index < count ? buffer.readUInt16BE(start + 8 + 2 * index) : 0;
  let text = sign === NEGATIVE ? '-' : '';
  text += weight < 0 ? '0' : String(group(0));
  for (let i = 1; i <= weight; i++) text += padded(group(i));
  if (scale === 0) return text;
  let decimals = '';
  for (let i = weight + 1; decimals.length < scale; i++) decimals += padded(group(i));
  return `${text}.${decimals.slice(0, scale)}`;
}

function padded(group: number): string {
  return String(group).padStart(4, '0');
}
