import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Knows which connections have a request under way. Node's own `closeIdleConnections` leaves those
 * alone that never had one, as browsers and fetch open them ahead of need, and they would hold up
 * the end of the service.
 */
export class ConnectionTracker {
  readonly #requests = new Map<Socket, number>();
  #isClosing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#isClosing) socket.destroy();
      else this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#add(socket, 1);
      response.once('close', () => this.#add(socket, -1));
    });
  }

  /** A connection that has become something else is somebody else's. */
  release(socket: Duplex): void {
    this.#requests.delete(socket as Socket);
  }

  /** Closes idle connections now, and the others when their request has ended. */
  closeIdle(): void {
    this.#isClosing = true;
    for (const [socket, requests] of this.#requests) {
      if (requests === 0) socket.destroy();
    }
  }

  #add(socket: Socket, change: 1 | -1): void {
    const requests = this.#requests.get(socket);
    if (requests === undefined) return;
    this.#requests.set(socket, requests + change);
    // Destroying would discard what the client has not received yet.
    if (this.#isClosing && requests + change === 0) socket.end();
  }
}
