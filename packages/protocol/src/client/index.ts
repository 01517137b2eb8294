/** What a client needs at run time, in every environment: nothing here imports Node.js or the table of errors. */
export { LineError } from '../line-error.ts';
export {
  encodeCancel,
  encodeKeepalive,
  encodeKeepaliveAnswer,
  encodeRequestN,
  encodeRequestStream,
  encodeSetup,
  FrameError,
  parseFrame,
  type Frame,
  type PayloadFrame,
} from '../rsocket/frames.ts';
export { decodeBsonLine, decodeJsonLine } from './decode-line.ts';
export { BsonLineSplitter, JsonLineSplitter, type LineSplitter } from './line-splitter.ts';
