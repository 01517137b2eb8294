import type { WebSocket } from 'ws';

/** What is sent but has not left yet; above it, senders wait. */
const HIGH_WATER_BYTES = 1 << 20;
/** Small messages gain nothing from compression. */
const COMPRESS_FROM_BYTES = 1024;

/** The sending half of a WebSocket, with backpressure. */
export class MessageSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Resolves once there is room for more. After the end of the connection it does nothing. */
  async send(parts: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    const message = Buffer.concat(parts);
    const compress = message.byteLength >= COMPRESS_FROM_BYTES;
    const sent = new Promise<void>((resolve) => {
      // An error here is the end of the connection, which `close` tells everybody.
      socket.send(message, { binary: true, compress }, () => resolve());
    });
    if (socket.bufferedAmount >= HIGH_WATER_BYTES) await sent;
  }

  /** Sends a last message, if there is one, and closes properly. */
  close(last?: Uint8Array): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    if (last === undefined) socket.close(NORMAL_CLOSURE);
    else socket.send(last, { binary: true }, () => socket.close(NORMAL_CLOSURE));
  }
}

const NORMAL_CLOSURE = 1000;
