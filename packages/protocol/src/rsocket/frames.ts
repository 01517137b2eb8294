/**
 * RSocket 1.0 frames as they stand in WebSocket messages, without a length in front
 * (spec/protocol.md 3.2). All integers are big-endian:
 *
 *     stream id   u32, highest bit 0
 *     type/flags  u16: type << 10 | flags
 *     body        depends on the type; metadata, when its flag is set, is a u24 length and bytes
 */
const TYPES = {
  setup: 0x01,
  keepalive: 0x03,
  requestResponse: 0x04,
  requestFnf: 0x05,
  requestStream: 0x06,
  requestChannel: 0x07,
  requestN: 0x08,
  cancel: 0x09,
  payload: 0x0a,
  error: 0x0b,
  metadataPush: 0x0c,
  resume: 0x0d,
} as const;

export const RSOCKET_ERRORS = {
  unsupportedSetup: 0x0000_0002,
  rejectedSetup: 0x0000_0003,
  rejectedResume: 0x0000_0004,
  connectionError: 0x0000_0101,
  applicationError: 0x0000_0201,
  rejected: 0x0000_0202,
} as const;

const IGNORE = 0x200;
const METADATA = 0x100;
/** Of payloads and requests; RESPOND of a keepalive, RESUME of a setup. */
const FOLLOWS = 0x80;
/** Of payloads; LEASE of a setup. */
const COMPLETE = 0x40;
const NEXT = 0x20;

interface Payload {
  readonly metadata: Uint8Array | undefined;
  readonly data: Uint8Array;
}

export interface SetupFrame extends Payload {
  readonly kind: 'setup';
  readonly majorVersion: number;
  readonly lifetimeMs: number;
  readonly resume: boolean;
  readonly lease: boolean;
  readonly metadataMime: string;
  readonly dataMime: string;
}

export interface RequestStreamFrame extends Payload {
  readonly kind: 'request stream';
  readonly streamId: number;
  readonly initialN: number;
  readonly follows: boolean;
}

export interface PayloadFrame extends Payload {
  readonly kind: 'payload';
  readonly streamId: number;
  readonly follows: boolean;
  readonly complete: boolean;
  readonly next: boolean;
}

export type Frame =
  | SetupFrame
  | RequestStreamFrame
  | PayloadFrame
  | { readonly kind: 'keepalive'; readonly respond: boolean; readonly data: Uint8Array }
  | { readonly kind: 'request n'; readonly streamId: number; readonly n: number }
  | { readonly kind: 'cancel'; readonly streamId: number }
  | {
      readonly kind: 'error';
      readonly streamId: number;
      readonly code: number;
      readonly message: string;
    }
  | { readonly kind: 'resume' }
  /** An interaction that this protocol does not use. */
  | { readonly kind: 'other request'; readonly streamId: number }
  /** Of a type that its sender lets receivers ignore. */
  | { readonly kind: 'ignored' };

/** The bytes are not a frame. */
export class FrameError extends Error {}

/**
 * Reads one frame. Payloads are views of the message, not copies.
 *
 * @throws FrameError
 */
export function parseFrame(message: Uint8Array): Frame {
  const reader = new FrameReader(message);
  const streamId = reader.u32() & 0x7fff_ffff;
  const typeAndFlags = reader.u16();
  const type = typeAndFlags >> 10;
  const has = (flag: number): boolean => (typeAndFlags & flag) !== 0;
  switch (type) {
    case TYPES.setup:
      return parseSetup(reader, has);
    case TYPES.keepalive:
      reader.skip(8);
      return { kind: 'keepalive', respond: has(FOLLOWS), data: reader.rest() };
    case TYPES.requestStream: {
      const initialN = reader.u32();
      const payload = readPayload(reader, has(METADATA));
      return { kind: 'request stream', streamId, initialN, follows: has(FOLLOWS), ...payload };
    }
    case TYPES.requestN:
      return { kind: 'request n', streamId, n: reader.u32() };
    case TYPES.cancel:
      return { kind: 'cancel', streamId };
    case TYPES.payload: {
      const flags = { follows: has(FOLLOWS), complete: has(COMPLETE), next: has(NEXT) };
      return { kind: 'payload', streamId, ...flags, ...readPayload(reader, has(METADATA)) };
    }
    case TYPES.error:
      return { kind: 'error', streamId, code: reader.u32(), message: reader.text() };
    case TYPES.resume:
      return { kind: 'resume' };
    case TYPES.requestResponse:
    case TYPES.requestFnf:
    case TYPES.requestChannel:
      return { kind: 'other request', streamId };
    case TYPES.metadataPush:
      return { kind: 'ignored' };
    default:
      if (has(IGNORE)) return { kind: 'ignored' };
      throw new FrameError(`There is no frame of type ${type}`);
  }
}

function parseSetup(reader: FrameReader, has: (flag: number) => boolean): SetupFrame {
  const majorVersion = reader.u16();
  reader.skip(2 + 4); // minor version, keepalive interval
  const lifetimeMs = reader.u32();
  const resume = has(FOLLOWS);
  if (resume) reader.skip(reader.u16());
  const metadataMime = reader.ascii(reader.u8());
  const dataMime = reader.ascii(reader.u8());
  const payload = readPayload(reader, has(METADATA));
  const lease = has(COMPLETE);
  return {
    kind: 'setup',
    majorVersion,
    lifetimeMs,
    resume,
    lease,
    metadataMime,
    dataMime,
    ...payload,
  };
}

function readPayload(reader: FrameReader, hasMetadata: boolean): Payload {
  const metadata = hasMetadata ? reader.bytes(reader.u24()) : undefined;
  return { metadata, data: reader.rest() };
}

class FrameReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u24(): number {
    return (this.u8() << 16) | this.u16();
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  skip(count: number): void {
    this.#take(count);
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.byteLength - this.#at);
  }

  ascii(count: number): string {
    return String.fromCharCode(...this.bytes(count));
  }

  text(): string {
    return new TextDecoder().decode(this.rest());
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.byteLength) throw new FrameError('The frame is cut off');
    this.#at += count;
    return at;
  }
}

const HEADER_BYTES = 6;

function newFrame(streamId: number, type: number, flags: number, bodyBytes: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + bodyBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, streamId);
  view.setUint16(4, (type << 10) | flags);
  return frame;
}

/** What stands in front of the data of a PAYLOAD frame with flag NEXT and without metadata. */
export function payloadHeader(streamId: number): Uint8Array {
  return newFrame(streamId, TYPES.payload, NEXT, 0);
}

/** The normal end of a stream: a PAYLOAD frame with flag COMPLETE alone. */
export function encodeComplete(streamId: number): Uint8Array {
  return newFrame(streamId, TYPES.payload, COMPLETE, 0);
}

/** Answers a keepalive: the same data, without RESPOND. */
export function encodeKeepaliveAnswer(data: Uint8Array): Uint8Array {
  const frame = newFrame(0, TYPES.keepalive, 0, 8 + data.byteLength);
  frame.set(data, HEADER_BYTES + 8);
  return frame;
}

export function encodeError(streamId: number, code: number, message: string): Uint8Array {
  const text = new TextEncoder().encode(message);
  const frame = newFrame(streamId, TYPES.error, 0, 4 + text.byteLength);
  new DataView(frame.buffer).setUint32(HEADER_BYTES, code);
  frame.set(text, HEADER_BYTES + 4);
  return frame;
}

/** The first frame of a connection (spec/protocol.md 3.3); both MIME types are JSON's. */
export function encodeSetup(options: {
  readonly keepaliveMs: number;
  readonly lifetimeMs: number;
  /** JSON text. */
  readonly metadata: string;
}): Uint8Array {
  const mime = ascii(JSON_MIME);
  const metadata = new TextEncoder().encode(options.metadata);
  const numbers = new Uint8Array(12);
  const view = new DataView(numbers.buffer);
  view.setUint16(0, 1); // version 1.0
  view.setUint32(4, options.keepaliveMs);
  view.setUint32(8, options.lifetimeMs);
  const mimeType = [Uint8Array.of(mime.byteLength), mime];
  return joinFrame(0, TYPES.setup, METADATA, [
    numbers,
    ...mimeType,
    ...mimeType,
    u24(metadata.byteLength),
    metadata,
  ]);
}

/** Metadata and data are JSON texts (spec/protocol.md 3.4). */
export function encodeRequestStream(
  streamId: number,
  request: { readonly initialN: number; readonly metadata: string; readonly data: string },
): Uint8Array {
  const metadata = new TextEncoder().encode(request.metadata);
  const data = new TextEncoder().encode(request.data);
  return joinFrame(streamId, TYPES.requestStream, METADATA, [
    u32(request.initialN),
    u24(metadata.byteLength),
    metadata,
    data,
  ]);
}

/** Asks for `n` more payloads. */
export function encodeRequestN(streamId: number, n: number): Uint8Array {
  return joinFrame(streamId, TYPES.requestN, 0, [u32(n)]);
}

export function encodeCancel(streamId: number): Uint8Array {
  return newFrame(streamId, TYPES.cancel, 0, 0);
}

/** Asks the other side for a sign of life. */
export function encodeKeepalive(): Uint8Array {
  return newFrame(0, TYPES.keepalive, FOLLOWS, 8);
}

const JSON_MIME = 'application/json';

function joinFrame(
  streamId: number,
  type: number,
  flags: number,
  parts: readonly Uint8Array[],
): Uint8Array {
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const frame = newFrame(streamId, type, flags, bytes);
  let at = HEADER_BYTES;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}

function u24(value: number): Uint8Array {
  return Uint8Array.of(value >> 16, (value >> 8) & 0xff, value & 0xff);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
