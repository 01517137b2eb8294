import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { abortReason } from '@sluice/base';
import { tooSlow, type BytesInFlight } from './bytes-in-flight.ts';
import type { StreamEncoder } from './stream-encoder.ts';

export interface StreamWriterOptions {
  readonly response: ServerResponse;
  readonly encoder: StreamEncoder;
  /** Aborts when the client has gone; what waits then rejects with its reason. */
  readonly signal: AbortSignal;
  readonly inFlight: BytesInFlight;
  /** How long a client may take nothing of what it was sent. */
  readonly stallTimeoutMs: number;
}

/** Writes a stream to one client, no faster than the client takes it. */
export class StreamWriter {
  readonly #options: StreamWriterOptions;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    const { head } = options.encoder;
    if (head) options.response.write(head);
  }

  /**
   * Resolves once there is room for more.
   *
   * @throws SyncError `SYNC_CLIENT_TOO_SLOW`.
   */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    const { response, encoder, signal, inFlight } = this.#options;
    const room = inFlight.room(byteLength(parts));
    if (room !== undefined) await room;
    const encoded = await encoder.encode(parts);
    if (signal.aborted) throw abortReason(signal);
    response.cork();
    for (const part of encoded) response.write(part);
    response.uncork();
    const full = fullSide(response);
    if (full) await this.#drained(full, byteLength(encoded));
  }

  /** The proper end, which tells the client that nothing is missing. */
  end(): void {
    const { response, encoder } = this.#options;
    const tail = encoder.tail();
    if (tail) response.end(tail);
    else response.end();
  }

  /** The socket's own timeout counts from the last byte that left, also within a batch. */
  #drained(full: Writable, bytes: number): Promise<void> {
    const { response, signal, inFlight, stallTimeoutMs } = this.#options;
    const { socket } = response;
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        left();
        full.off('drain', onDrain);
        signal.removeEventListener('abort', onAbort);
        socket?.off('timeout', onTimeout);
        socket?.setTimeout(0);
        action();
      };
      const left = inFlight.stall(bytes, (reason) => settle(() => reject(reason)));
      const onDrain = (): void => settle(resolve);
      const onAbort = (): void => settle(() => reject(abortReason(signal)));
      const onTimeout = (): void =>
        settle(() => reject(tooSlow(stallTimeoutMs, bytes, 'none of it is leaving')));
      full.once('drain', onDrain);
      signal.addEventListener('abort', onAbort, { once: true });
      socket?.setTimeout(stallTimeoutMs, onTimeout);
    });
  }
}

/**
 * What has to drain before there is room for more. The socket, for what a corked response says of itself differs: with Node.js 22 and newer `write` looks at
 * the corked bytes alone, and a response that went out at once either drains within `uncork` (24) or never says so (22). A response has no socket
 * only while another one is before it on the connection.
 */
function fullSide(response: ServerResponse): Writable | undefined {
  const side = response.socket ?? response;
  return side.writableNeedDrain ? side : undefined;
}

function byteLength(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.byteLength;
  return bytes;
}
