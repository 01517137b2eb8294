import type { SqliteValue } from '@sluice/model';
import { beforeNul } from './characters.ts';
import { toInteger, toText } from './conversions.ts';

/** What SQLite takes for the length when none is given. */
const MAX_LENGTH = 1_000_000_000n;

/**
 * `substr(x, start [, count])`: 1-based; a negative start counts from the end, a negative count takes
 * what stands in front of the start. Characters of a text, bytes of a BLOB.
 */
export function substring(args: readonly SqliteValue[]): SqliteValue {
  const [source = null, start = null, count = args.length === 2 ? MAX_LENGTH : null] = args;
  if (source === null || start === null || count === null) return null;
  if (typeof source !== 'object') {
    const characters = [...beforeNul(toText(source))];
    const [from, to] = range(characters.length, toInteger(start), toInteger(count));
    return characters.slice(from, to).join('');
  }
  // An empty BLOB has no bytes to point at, which SQLite takes for NULL.
  if (source.byteLength === 0) return null;
  const [from, to] = range(source.byteLength, toInteger(start), toInteger(count));
  return source.slice(from, to);
}

function range(length: number, startArg: bigint, countArg: bigint): [number, number] {
  let start = startArg;
  let count = countArg;
  if (start < 0n) {
    start += BigInt(length);
    if (start < 0n) {
      count = count < 0n ? 0n : count + start;
      start = 0n;
    }
  } else if (start > 0n) {
    start--;
  } else if (count > 0n) {
    count--;
  }
  if (count < 0n) {
    count = count < -start ? start : -count;
    start -= count;
  }
  const end = start + count;
  return [clamp(start, length), clamp(end, length)];
}

function clamp(position: bigint, length: number): number {
  return position > BigInt(length) ? length : Number(position);
}
