import type { Line } from '@sluice/protocol';
import {
  decodeBsonLine,
  encodeKeepalive,
  encodeKeepaliveAnswer,
  encodeRequestN,
  parseFrame,
  type PayloadFrame,
} from '@sluice/protocol/client';
import { abortError, pause, type ClientClock } from '../../clock.ts';
import { StreamFailure, toStreamFailure } from './transport.ts';
import type { WebSocketLike } from './websocket-transport.ts';

const STREAM_ID = 1;
/** No message of any kind for so long: nobody is there (spec/protocol.md 3.7). */
const SILENCE_MS = 30_000;

export interface RsocketStreamOptions {
  readonly socket: WebSocketLike;
  readonly clock: ClientClock;
  readonly signal: AbortSignal;
  readonly linesAhead: number;
  readonly maxLineBytes: number;
}

/**
 * The lines of one connection. The service sends as many as it was asked for; more are asked for as lines are taken, so at most
 * `linesAhead` wait here. Answers of keepalives come out as empty batches.
 */
export class RsocketStream implements AsyncIterable<readonly Line[]> {
  readonly #options: RsocketStreamOptions;
  readonly #lifetime = new AbortController();
  /** Resolves with the first line of the stream, or its end. */
  readonly firstPayload: Promise<void>;
  #began: () => void = () => undefined;
  #refused: (error: unknown) => void = () => undefined;
  #batch: Line[] = [];
  #signOfLife = false;
  #ended = false;
  #failure: unknown;
  #wake: () => void = () => undefined;
  /** Lines that the service may still send, and lines that wait here. */
  #credit: number;
  #fragments: Uint8Array[] = [];
  #fragmentBytes = 0;
  #lastMessageAtMs: number;

  constructor(options: RsocketStreamOptions) {
    this.#options = options;
    this.#credit = options.linesAhead;
    this.#lastMessageAtMs = options.clock.elapsed();
    this.firstPayload = new Promise((resolve, reject) => {
      this.#began = resolve;
      this.#refused = reject;
    });
    this.firstPayload.catch(() => undefined); // whoever waits for it is told
    const { socket, signal } = options;
    socket.onmessage = ({ data }: { readonly data: unknown }) =>
      this.#guarded(() => this.#received(data));
    socket.onerror = () => this.#fail(new StreamFailure('NETWORK', 'The WebSocket failed'));
    socket.onclose = () => this.#fail(new StreamFailure('NETWORK', 'The connection was closed'));
    signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Once the request is sent. */
  start(keepaliveMs: number): void {
    void this.#keepAlive(keepaliveMs);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Line[]> {
    try {
      for (;;) {
        if (this.#batch.length > 0 || this.#signOfLife) {
          const lines = this.#batch;
          this.#batch = [];
          this.#signOfLife = false;
          yield lines;
          this.#topUp();
        } else if (this.#failure !== undefined) {
          throw toStreamFailure(this.#failure);
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#lifetime.abort();
    const { socket, signal } = this.#options;
    signal.removeEventListener('abort', this.#aborted);
    socket.onmessage = null;
    socket.onclose = null;
    // A socket that is closed before it is open reports an error, which nobody waits for.
    socket.onerror = () => undefined;
    socket.close();
  }

  readonly #aborted = (): void => {
    this.#fail(abortError(this.#options.signal));
    this.close();
  };

  #received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) throw protocolError('A message is not binary');
    this.#lastMessageAtMs = this.#options.clock.elapsed();
    const frame = parseFrame(new Uint8Array(data));
    if (frame.kind === 'error') throw refusal(frame.message);
    if (frame.kind === 'payload') this.#payload(frame);
    if (frame.kind !== 'keepalive') return; // a service sends no others
    if (frame.respond) this.#options.socket.send(encodeKeepaliveAnswer(frame.data));
    this.#signOfLife = true;
    this.#wake();
  }

  #payload({ data, follows, complete }: PayloadFrame): void {
    if (follows || this.#fragments.length > 0) {
      this.#fragmentBytes += data.byteLength;
      if (this.#fragmentBytes > this.#options.maxLineBytes)
        throw protocolError('A line is too long');
      this.#fragments.push(data);
    }
    if (follows) return;
    const bytes = this.#fragments.length > 0 ? this.#reassembled() : data;
    if (bytes.byteLength > 0) {
      this.#credit -= 1;
      const line = decodeBsonLine(bytes);
      if (line === undefined) this.#topUp();
      else this.#batch.push(line);
    }
    this.#ended ||= complete;
    this.#began();
    this.#wake();
  }

  #reassembled(): Uint8Array {
    const whole = new Uint8Array(this.#fragmentBytes);
    let at = 0;
    for (const part of this.#fragments) {
      whole.set(part, at);
      at += part.byteLength;
    }
    this.#fragments = [];
    this.#fragmentBytes = 0;
    return whole;
  }

  /** Back to `linesAhead`, once half of it is used up. */
  #topUp(): void {
    const { linesAhead, socket } = this.#options;
    const wanted = linesAhead - this.#credit - this.#batch.length;
    if (wanted < linesAhead / 2 || this.#isOver()) return;
    this.#credit += wanted;
    this.#guarded(() => socket.send(encodeRequestN(STREAM_ID, wanted)));
  }

  async #keepAlive(everyMs: number): Promise<void> {
    const { clock, socket } = this.#options;
    let sentAtMs = clock.elapsed();
    for (;;) {
      const nextAtMs = Math.min(sentAtMs + everyMs, this.#lastMessageAtMs + SILENCE_MS);
      const waitMs = Math.max(1, nextAtMs - clock.elapsed());
      if (!(await pause(clock, waitMs, this.#lifetime.signal)) || this.#isOver()) return;
      const nowMs = clock.elapsed();
      if (nowMs - this.#lastMessageAtMs >= SILENCE_MS) {
        this.#fail(new StreamFailure('STREAM_SILENT', 'The service has said nothing for 30 s'));
      } else if (nowMs - sentAtMs >= everyMs) {
        sentAtMs = nowMs;
        this.#guarded(() => socket.send(encodeKeepalive()));
      }
    }
  }

  #isOver(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  #guarded(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver()) return;
    this.#failure = error;
    this.#refused(error);
    this.#wake();
  }
}

/** Only the text tells a refused token from anything else (spec/protocol.md 3.8). */
function refusal(message: string): StreamFailure {
  const unauthorized = message.includes('PSYNC_S21');
  const text = `The service answered: ${message.slice(0, 500)}`;
  return new StreamFailure(unauthorized ? 'UNAUTHORIZED' : 'SERVICE', text, { unauthorized });
}

function protocolError(text: string): StreamFailure {
  return new StreamFailure('PROTOCOL', text);
}
