import type { OpId } from '@sluice/model';
import type { Op } from './op.ts';
import { opElementBytes, OpTailWriter, writeOpHeadText } from './op-codec.ts';

/** One op as a BSON array element (layout in `op-codec.ts`). For many ops use `OpTailWriter`. */
export function encodeOpElement(op: Op): Uint8Array {
  const tails = new OpTailWriter(256);
  writeTail(tails, op);
  return joinElement(op.opId, tails.bytes.subarray(0, tails.length));
}

/** The MOVE that stands for dropped ops in a `data` line. */
export function encodeMoveElement(opId: OpId, checksum: number): Uint8Array {
  return encodeOpElement({ kind: 'MOVE', opId, checksum });
}

/** Writes the tail of any op; returns where it starts. */
export function writeTail(tails: OpTailWriter, op: Op): number {
  switch (op.kind) {
    case 'PUT':
      return tails.put(op.objectType, op.objectId, op.subkey, op.checksum, op.data);
    case 'REMOVE':
      return tails.remove(op.objectType, op.objectId, op.subkey, op.checksum);
    case 'MOVE':
      return tails.move(op.checksum);
    case 'CLEAR':
      return tails.clear(op.checksum);
  }
}

function joinElement(opId: OpId, tail: Uint8Array): Uint8Array {
  const digits = opId.toString();
  const element = new Uint8Array(opElementBytes(digits.length, tail.length));
  element.set(tail, writeOpHeadText(element, 0, digits, tail.length));
  return element;
}
