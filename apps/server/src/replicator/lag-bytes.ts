import type { SourcePosition } from '@sluice/model';

/** Bytes of change log between two PostgreSQL positions; 0 when `position` is at or past `head`. */
export function lagBytes(head: SourcePosition, position: SourcePosition): number {
  return Math.max(0, Number(toNumber(head) - toNumber(position)));
}

function toNumber(position: SourcePosition): bigint {
  const [high = '', low = ''] = position.split('/');
  if (!/^[0-9A-F]{8}$/i.test(high) || !/^[0-9A-F]{8}/i.test(low)) return 0n;
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low.slice(0, 8)}`);
}
