import type { ServerResponse } from 'node:http';
import { abortReason } from '@sluice/base';
import type { StreamEncoder } from './stream-encoder.ts';

/** Writes a stream to one client, no faster than the client takes it. */
export class StreamWriter {
  readonly #response: ServerResponse;
  readonly #encoder: StreamEncoder;
  readonly #signal: AbortSignal;

  /** `signal` aborts when the client has gone; what waits then rejects with its reason. */
  constructor(response: ServerResponse, encoder: StreamEncoder, signal: AbortSignal) {
    this.#response = response;
    this.#encoder = encoder;
    this.#signal = signal;
    if (encoder.head) response.write(encoder.head);
  }

  /** Resolves once there is room for more. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    const encoded = await this.#encoder.encode(parts);
    if (this.#signal.aborted) throw abortReason(this.#signal);
    let hasRoom = true;
    this.#response.cork();
    for (const part of encoded) hasRoom = this.#response.write(part);
    this.#response.uncork();
    if (!hasRoom) await this.#drained();
  }

  /** The proper end, which tells the client that nothing is missing. */
  end(): void {
    const tail = this.#encoder.tail();
    if (tail) this.#response.end(tail);
    else this.#response.end();
  }

  #drained(): Promise<void> {
    const [response, signal] = [this.#response, this.#signal];
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => () => {
        response.off('drain', onDrain);
        signal.removeEventListener('abort', onAbort);
        action();
      };
      const onDrain = settle(resolve);
      const onAbort = settle(() => reject(abortReason(signal)));
      response.once('drain', onDrain);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
