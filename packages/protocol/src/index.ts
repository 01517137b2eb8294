export { addChecksums, putChecksum, removeChecksum } from './checksum.ts';
export type { ClearOp, MoveOp, Op, PutOp, RemoveOp } from './op.ts';
