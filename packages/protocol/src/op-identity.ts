import { SyncError } from '@sluice/base';

/**
 * The row identity of a PUT or REMOVE element that this package encoded: equal text for equal
 * (object_type, object_id, subkey), different text otherwise. Reads at fixed places, so that
 * compaction need not decode ops. Source: spec/protocol.md 4.2; layout in `op-codec.ts`.
 *
 * @throws SyncError `SYNC_LINE_INVALID`, or RangeError, when there is no such element.
 */
export function opIdentity(elements: Buffer, elementStart: number): string {
  const opIdBytes = elements.readInt32LE(elementStart + 14);
  const op = elementStart + 18 + opIdBytes;
  const type = op + 8 + elements.readInt32LE(op + 4) + 13;
  const id = type + 4 + elements.readInt32LE(type) + 11;
  const checksum = id + 4 + elements.readInt32LE(id);
  const subkey = checksum + (elements[checksum] === 0x10 ? 14 : 18) + 8;
  const end = subkey + 4 + elements.readInt32LE(subkey);
  const isRow = elements[elementStart] === 0x03 && elements[op] === 0x02;
  if (!isRow || elements[subkey - 8] !== 0x02 || end <= subkey || end > elements.length) {
    throw new SyncError('SYNC_LINE_INVALID', `No row operation at byte ${elementStart}`);
  }
  const row = elements.toString('latin1', type, checksum);
  return row + elements.toString('latin1', subkey + 4, end);
}
