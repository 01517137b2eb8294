import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { serialize } from 'bson';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { SESSION_LINES, SESSION_LINES_AS_BSON } from './worked-examples.ts';

/** How lines go over the wire. */
export type Wire = 'NDJSON' | 'BSON' | 'RSocket';

const BSON_TYPE = 'application/vnd.powersync.bson-stream';
/** Stream 1, PAYLOAD with NEXT (spec/protocol.md 11.7). */
const PAYLOAD_NEXT = '000000012820';

/** A request as it came over the socket. */
export interface RecordedRequest {
  /** Method and path. */
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A stream that a client asked for, by which bytes are sent as they are. */
interface OpenStream {
  readonly send: (bytes: Uint8Array) => void;
  /** Whether the client has hung up. */
  isClosed: boolean;
}

/**
 * A service of recorded bytes on a socket of this machine: it takes any request, and says what the test says, in the bytes of spec/protocol.md where
 * that has them.
 */
export class RecordedService implements AsyncDisposable {
  readonly url: string;
  readonly requests: RecordedRequest[] = [];
  /** Messages of WebSockets, as hex. */
  readonly frames: string[] = [];
  readonly streams: OpenStream[] = [];
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #chunkBytes: number;

  private constructor(server: Server, wire: Wire, chunkBytes: number) {
    this.#server = server;
    this.#wire = wire;
    this.#chunkBytes = chunkBytes;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#answer(request, response));
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => this.#accept(socket));
  }

  /** `chunkBytes`: of an HTTP response, how many are written at a time. */
  static async start(wire: Wire, chunkBytes = Infinity): Promise<RecordedService> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RecordedService(server, wire, chunkBytes);
  }

  /** Requests for anything but streams. */
  get otherCalls(): readonly string[] {
    return this.requests.map(({ line }) => line).filter((line) => !line.includes('/sync/stream'));
  }

  /** The newest stream; undefined before the first one. */
  get stream(): OpenStream | undefined {
    return this.streams.at(-1);
  }

  /** A line of 11.5 by its number, from 1. */
  line(number: number): void {
    this.say(SESSION_LINES[number - 1] ?? '', SESSION_LINES_AS_BSON[number]);
  }

  /** A line as JSON; `bson`: its bytes, as hex, where they are given. */
  say(json: string, bson?: string): void {
    if (this.#wire === 'NDJSON') return this.bytes(Buffer.from(`${json}\n`));
    const document = bson ?? Buffer.from(serialize(JSON.parse(json) as object)).toString('hex');
    this.bytes(Buffer.from(this.#wire === 'BSON' ? document : PAYLOAD_NEXT + document, 'hex'));
  }

  bytes(bytes: Uint8Array): void {
    if (this.stream === undefined) throw new Error('No stream was asked for');
    this.stream.send(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.requests.push({ line: `${method} ${url}`, headers, body: await text(request) });
    if (url !== '/sync/stream') {
      // The answer of 11.5.
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end('{"data":{"write_checkpoint":"1"}}');
      return;
    }
    const type = this.#wire === 'BSON' ? BSON_TYPE : 'application/x-ndjson';
    response.writeHead(200, { 'Content-Type': type });
    response.flushHeaders();
    const send = (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
        response.write(bytes.subarray(at, at + this.#chunkBytes));
      }
    };
    const stream: OpenStream = { send, isClosed: false };
    response.on('close', () => (stream.isClosed = true));
    this.streams.push(stream);
  }

  #accept(socket: WebSocket): void {
    const stream: OpenStream = { send: (bytes) => socket.send(bytes), isClosed: false };
    socket.on('message', (data: RawData) => {
      const hex = (data as Buffer).toString('hex');
      this.frames.push(hex);
      // REQUEST_STREAM of stream 1.
      if (hex.startsWith('0000000119')) this.streams.push(stream);
    });
    socket.on('close', () => (stream.isClosed = true));
  }
}
