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
export { encodeBsonDataLine, encodeBsonLine, startBsonLine } from './bson-line.ts';
export { encodeJsonDataLine, encodeJsonLine, startJsonLine } from './json-line.ts';
export type {
  CheckpointBucket,
  CheckpointCompleteLine,
  CheckpointDiffLine,
  CheckpointLine,
  BucketLineHead,
  BucketLineWriter,
  ControlLine,
  DataLine,
  DataLineFrame,
  Line,
  PartialCheckpointCompleteLine,
  StreamDescription,
  StreamError,
  SubscriptionIndex,
  TokenExpiresInLine,
} from './line.ts';
export {
  CONTENT_TYPES,
  negotiateEncoding,
  negotiateFormat,
  type ContentEncoding,
  type StreamFormat,
} from './negotiation.ts';
export { OpsToJson, opsToJson, type JsonRowForm } from './ops-to-json.ts';
export { LineError } from './line-error.ts';
export { parseLine } from './parse-line.ts';
export {
  encodeComplete,
  encodeError,
  encodeKeepaliveAnswer,
  FrameError,
  parseFrame,
  payloadHeader,
  RSOCKET_ERRORS,
  type Frame,
  type PayloadFrame,
  type RequestStreamFrame,
  type SetupFrame,
} from './rsocket/frames.ts';
export { splitDocuments } from './rsocket/split-documents.ts';
export {
  parseStreamRequest,
  type HeldBucket,
  type RequestedSubscription,
  type StreamRequest,
} from './stream-request.ts';
