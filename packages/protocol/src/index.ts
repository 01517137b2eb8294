export { BucketReplica } from './bucket-replica.ts';
export {
  addChecksums,
  putChecksum,
  putDigest,
  removeChecksum,
  type PutDigest,
} from './checksum.ts';
export { decodeOpElements } from './decode-op.ts';
export { encodeMoveElement, encodeOpElement, writeTail } from './encode-op.ts';
export {
  opElementBytes,
  opIdDigits,
  OpTailWriter,
  writeOpHead,
  writeOpHeadText,
} from './op-codec.ts';
export { opIdentity } from './op-identity.ts';
export type { ClearOp, MoveOp, Op, PutOp, RemoveOp } from './op.ts';
