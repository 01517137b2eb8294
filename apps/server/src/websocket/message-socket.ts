import type { WebSocket } from 'ws';
import type { StallLimit } from './stall-limit.ts';

/** What is sent but has not left yet; above it, senders wait. */
const HIGH_WATER_BYTES = 1 << 20;
/** Small messages gain nothing from compression. */
const COMPRESS_FROM_BYTES = 1024;

/** The sending half of a WebSocket, with backpressure. */
export class MessageSocket {
  readonly #socket: WebSocket;
  readonly #stalls: StallLimit;

  constructor(socket: WebSocket, stalls: StallLimit) {
    this.#socket = socket;
    this.#stalls = stalls;
  }

  /** Whether the client does not take what it is sent. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount >= HIGH_WATER_BYTES;
  }

  /**
   * Resolves once there is room for more. After the end of the connection it does nothing.
   *
   * @throws SyncError `SYNC_CLIENT_TOO_SLOW`; the connection is of no use then.
   */
  async send(parts: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    const message = Buffer.concat(parts);
    const compress = message.byteLength >= COMPRESS_FROM_BYTES;
    const sent = new Promise<void>((resolve) => {
      // An error here is the end of the connection, which `close` tells everybody.
      socket.send(message, { binary: true, compress }, () => resolve());
    });
    if (!this.isFull) return;
    await this.#stalls.untilTaken(sent, socket.bufferedAmount, 'none of it is leaving');
  }

  /** Sends what nobody waits for, and only while the client takes what it is sent. */
  answer(message: Uint8Array): void {
    const socket = this.#socket;
    if (socket.readyState === socket.OPEN && !this.isFull) socket.send(message, { binary: true });
  }

  /** Sends a last message, if there is one, and closes properly. */
  close(last?: Uint8Array): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    if (last === undefined) socket.close(NORMAL_CLOSURE);
    else socket.send(last, { binary: true }, () => socket.close(NORMAL_CLOSURE));
  }

  /** Ends the connection of a client that would not hear of a proper end. */
  terminate(): void {
    this.#socket.terminate();
  }
}

const NORMAL_CLOSURE = 1000;
