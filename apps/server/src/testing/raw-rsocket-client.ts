import { deserialize, serialize } from 'bson';
import { WebSocket } from 'ws';
import { parseFrame, type Frame } from '@sluice/protocol';
import { until } from '@sluice/testing';

/** A client that writes frames by hand and keeps what comes back. */
export class RawRSocketClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  /** The same, as they came. */
  readonly messages: Buffer[] = [];
  closed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (message: Buffer) => {
      this.messages.push(message);
      this.frames.push(parseFrame(message));
    });
    socket.once('close', () => (this.closed = true));
  }

  static async open(url: string, path = '/sync/stream'): Promise<RawRSocketClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`);
    const client = new RawRSocketClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(...frames: readonly Buffer[]): void {
    for (const frame of frames) this.socket.send(frame);
  }

  lines(): unknown[] {
    return this.frames.flatMap((frame) =>
      frame.kind === 'payload' && frame.next ? [deserialize(frame.data)] : [],
    );
  }

  frame(kind: Frame['kind']): Promise<Frame> {
    return until(`a frame ${kind}`, () => this.frames.find((frame) => frame.kind === kind), 5000);
  }

  async error(): Promise<{
    readonly streamId: number;
    readonly code: number;
    readonly message: string;
  }> {
    const frame = await this.frame('error');
    if (frame.kind !== 'error') throw new Error('not an error');
    return frame;
  }
}

export const JSON_MIME = 'application/json';

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function header(streamId: number, type: number, flags: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt32BE(streamId);
  bytes.writeUInt16BE((type << 10) | flags, 4);
  return bytes;
}

function withMetadata(metadata: Buffer | undefined, data: Buffer): Buffer {
  if (metadata === undefined) return data;
  return Buffer.concat([u32(metadata.length).subarray(1), metadata, data]);
}

function encode(mime: string, value: object): Buffer {
  return Buffer.from(mime === JSON_MIME ? JSON.stringify(value) : serialize(value));
}

export interface SetupOptions {
  readonly token?: string;
  readonly userAgent?: string | undefined;
  readonly mime?: string;
  readonly dataMime?: string;
  readonly data?: string;
  readonly flags?: number;
  readonly lifetimeMs?: number;
}

/** A SETUP frame. */
export function setup(options: SetupOptions = {}): Buffer {
  const { token = 'Token good', mime = JSON_MIME, flags = 0, lifetimeMs = 30_000 } = options;
  const { dataMime = mime, data = '', userAgent } = options;
  const mimeBytes = [mime, dataMime].map((text) =>
    Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]),
  );
  const agent = userAgent === undefined ? {} : { user_agent: userAgent };
  const metadata = token === '' ? undefined : encode(mime, { token, ...agent });
  return Buffer.concat([
    header(0, 1, flags | (metadata ? 0x100 : 0)),
    Buffer.from([0, 1, 0, 0]),
    u32(20_000),
    u32(lifetimeMs),
    flags & 0x80 ? Buffer.from([0, 1, 9]) : Buffer.alloc(0), // the token of a resumption
    ...mimeBytes,
    withMetadata(metadata, Buffer.from(data)),
  ]);
}

/** A REQUEST_STREAM frame. */
export function request(
  options: {
    readonly n?: number;
    readonly path?: string;
    readonly mime?: string;
    readonly dataMime?: string;
    readonly body?: object;
    readonly id?: number;
  } = {},
): Buffer {
  const { n = 10, path = '/sync/stream', mime = JSON_MIME, body = {}, id = 1 } = options;
  const { dataMime = mime } = options;
  const payload = withMetadata(encode(mime, { path }), encode(dataMime, body));
  return Buffer.concat([header(id, 6, 0x100), u32(n), payload]);
}

export const requestN = (n: number): Buffer => Buffer.concat([header(1, 8, 0), u32(n)]);
/** Some line in BSON. */
export const LINE = (n: number): Buffer => Buffer.from(serialize({ token_expires_in: n }));
