import type { OpId } from '@sluice/model';
import { addChecksums } from '@sluice/protocol';
import type { StoredOp } from './memory-data.ts';

/** The two passes of spec/protocol.md 4.5 over one bucket, for ops up to `upTo`. */
export function compactNaively(ops: readonly StoredOp[], upTo: OpId): StoredOp[] {
  return clearPass(movePass(ops, upTo), upTo);
}

function movePass(ops: readonly StoredOp[], upTo: OpId): StoredOp[] {
  const newest = new Map<string, OpId>();
  const moved: StoredOp[] = [];
  for (const stored of ops.toReversed()) {
    const { op } = stored;
    if (op.opId > upTo || op.kind === 'MOVE' || op.kind === 'CLEAR') {
      moved.push(stored);
      continue;
    }
    const identity = JSON.stringify([op.objectType, op.objectId, op.subkey]);
    const target = newest.get(identity);
    if (target === undefined) {
      newest.set(identity, op.opId);
      moved.push(stored);
    } else {
      moved.push({ op: { kind: 'MOVE', opId: op.opId, checksum: op.checksum }, target });
    }
  }
  return moved.toReversed();
}

function clearPass(ops: readonly StoredOp[], upTo: OpId): StoredOp[] {
  const end = ops.findIndex(({ op }) => op.kind === 'PUT' || op.opId > upTo);
  const run = end < 0 ? ops : ops.slice(0, end);
  const last = run.at(-1);
  if (last === undefined || run.length < 2) return [...ops];
  const checksum = run.reduce((sum, { op }) => addChecksums(sum, op.checksum), 0);
  const target = run.reduce((highest, one) => (one.target > highest ? one.target : highest), 0n);
  const clear: StoredOp = { op: { kind: 'CLEAR', opId: last.op.opId, checksum }, target };
  return [clear, ...ops.slice(run.length)];
}
