import { encodeRequestStream, encodeSetup } from '@sluice/protocol/client';
import { abortError, withTimeout, type ClientClock } from '../../clock.ts';
import { RsocketStream } from './rsocket-stream.ts';
import {
  MAX_LINE_BYTES,
  StreamFailure,
  toStreamFailure,
  type LineStream,
  type StreamOpening,
  type SyncTransport,
} from './transport.ts';

/** The part of the platform's WebSocket that is used. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: never }) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(): void;
}

export interface WebSocketTransportOptions {
  readonly openSocket: (url: string) => WebSocketLike;
  readonly clock: ClientClock;
  readonly userAgent: string;
  /** Lines that the service may send ahead: 10, or 1 for one after the other. */
  readonly linesAhead?: number;
  readonly maxLineBytes?: number;
}

const OPEN_TIMEOUT_MS = 30_000;
const KEEPALIVE_MS = 20_000;
const LIFETIME_MS = 90_000;
const DEFAULT_LINES_AHEAD = 10;

/** The stream as RSocket frames over a WebSocket (spec/protocol.md 3). */
export class WebSocketTransport implements SyncTransport {
  readonly #options: WebSocketTransportOptions;

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
  }

  async open(opening: StreamOpening): Promise<LineStream> {
    if (opening.signal.aborted) throw abortError(opening.signal);
    const {
      clock,
      linesAhead = DEFAULT_LINES_AHEAD,
      maxLineBytes = MAX_LINE_BYTES,
    } = this.#options;
    const socket = this.#socket(opening.credentials.endpoint);
    const { signal } = opening;
    const stream = new RsocketStream({ socket, clock, signal, linesAhead, maxLineBytes });
    socket.onopen = () => {
      socket.send(this.#setup(opening.credentials.token));
      socket.send(requestStream(opening.body, linesAhead));
      stream.start(KEEPALIVE_MS);
    };
    const timeout = {
      ms: OPEN_TIMEOUT_MS,
      signal,
      onTimeout: () => new StreamFailure('TIMEOUT', 'The service did not answer'),
    };
    try {
      await withTimeout(clock, timeout, () => stream.firstPayload);
    } catch (error) {
      stream.close();
      throw toStreamFailure(error);
    }
    return stream;
  }

  #socket(endpoint: string): WebSocketLike {
    try {
      const socket = this.#options.openSocket(`${endpoint.replace(/^http/, 'ws')}/sync/stream`);
      socket.binaryType = 'arraybuffer';
      return socket;
    } catch (error) {
      throw toStreamFailure(error);
    }
  }

  #setup(token: string): Uint8Array {
    const { userAgent } = this.#options;
    const metadata = JSON.stringify({ token: `Token ${token}`, user_agent: userAgent });
    return encodeSetup({ keepaliveMs: KEEPALIVE_MS, lifetimeMs: LIFETIME_MS, metadata });
  }
}

function requestStream(body: string, initialN: number): Uint8Array {
  const metadata = JSON.stringify({ path: '/sync/stream' });
  return encodeRequestStream(1, { initialN, metadata, data: body });
}
