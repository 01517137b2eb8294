import { SourceError } from '@sluice/base';

/**
 * The frames of PostgreSQL's protocol, version 3: one byte that tells the kind, four bytes length
 * (which counts itself but not the kind), then the body. Pure; sockets are elsewhere.
 * Source: https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
export const FRAME_HEADER_BYTES = 5;

/** Kinds of frames that a server sends in answer to simple queries and COPY. */
export const FRAME = {
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyOutResponse: 0x48, // H
  copyBothResponse: 0x57, // W
  commandComplete: 0x43, // C
  dataRow: 0x44, // D
  emptyQuery: 0x49, // I
  errorResponse: 0x45, // E
  noticeResponse: 0x4e, // N
  notification: 0x41, // A
  parameterStatus: 0x53, // S
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** PostgreSQL itself cannot make a larger one: a field holds 1 GiB at most. */
const MAX_FRAME_BYTES = 2 ** 31 - 1;

/** Where the frame at `offset` ends; its header must lie within the block. */
export function frameEnd(block: Buffer, offset: number): number {
  const bytes =
    ((block[offset + 1] ?? 0) * 0x1000000 +
      (((block[offset + 2] ?? 0) << 16) |
        ((block[offset + 3] ?? 0) << 8) |
        (block[offset + 4] ?? 0))) >>>
    0;
  if (bytes < 4 || bytes > MAX_FRAME_BYTES) {
    throw new SourceError('SOURCE_PROTOCOL', `A protocol message claims ${bytes} bytes`);
  }
  return offset + 1 + bytes;
}

/**
 * Joins what a socket delivers into blocks that hold whole frames only. Holds at most one unfinished
 * frame; a long one is gathered without being copied more than once.
 */
export class FrameAssembler {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Size at which looking again is worth while. */
  #needed = 0;

  /** A block of whole frames, or undefined when none is complete yet. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#bytes > 0) {
      this.#parts.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes < this.#needed) return undefined;
      chunk = Buffer.concat(this.#parts, this.#bytes);
    }
    const end = this.#lastFrameEnd(chunk);
    this.#parts = end < chunk.length ? [chunk.subarray(end)] : [];
    this.#bytes = chunk.length - end;
    return end === 0 ? undefined : chunk.subarray(0, end);
  }

  #lastFrameEnd(chunk: Buffer): number {
    let offset = 0;
    for (;;) {
      this.#needed = FRAME_HEADER_BYTES;
      if (offset + FRAME_HEADER_BYTES > chunk.length) return offset;
      const end = frameEnd(chunk, offset);
      this.#needed = end - offset;
      if (end > chunk.length) return offset;
      offset = end;
    }
  }
}

/** An ErrorResponse of the server. `code` is the SQLSTATE, as in pg's own errors. */
export class ServerMessageError extends Error {
  readonly code: string;
  readonly severity: string;

  constructor(fields: ReadonlyMap<string, string>) {
    super(fields.get('M') ?? 'The server reported an error without a message');
    this.name = 'ServerMessageError';
    this.code = fields.get('C') ?? 'XX000';
    this.severity = fields.get('V') ?? fields.get('S') ?? 'ERROR';
  }
}

/** Reads the body of an ErrorResponse or NoticeResponse. */
export function decodeServerMessage(block: Buffer, start: number, end: number): ServerMessageError {
  const fields = new Map<string, string>();
  for (let at = start; at < end && block[at] !== 0;) {
    const zero = block.indexOf(0, at + 1);
    const valueEnd = zero < 0 || zero > end ? end : zero;
    fields.set(String.fromCharCode(block[at] ?? 0), block.toString('utf8', at + 1, valueEnd));
    at = valueEnd + 1;
  }
  return new ServerMessageError(fields);
}

/** Reads the body of a DataRow in text format. */
export function decodeTextRow(block: Buffer, start: number): (string | null)[] {
  const row: (string | null)[] = [];
  const count = block.readInt16BE(start);
  let at = start + 2;
  for (let i = 0; i < count; i++) {
    const bytes = block.readInt32BE(at);
    at += 4;
    row.push(bytes < 0 ? null : block.toString('utf8', at, at + bytes));
    if (bytes > 0) at += bytes;
  }
  return row;
}

export function encodeQuery(sql: string): Buffer {
  return encodeFrame(0x51, Buffer.from(`${sql}\0`));
}

export function encodeCopyData(body: Buffer): Buffer {
  return encodeFrame(FRAME.copyData, body);
}

export const COPY_DONE = encodeFrame(FRAME.copyDone, Buffer.alloc(0));
export const TERMINATE = encodeFrame(0x58, Buffer.alloc(0));

function encodeFrame(kind: number, body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  frame[0] = kind;
  frame.writeUInt32BE(body.length + 4, 1);
  body.copy(frame, FRAME_HEADER_BYTES);
  return frame;
}
