import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { pause, systemClock } from '@sluice/base';
import { WebSocketServer as Upgrader, type WebSocket } from 'ws';
import type { RouteContext } from '../http/http-server.ts';
import { RSocketConnection } from './rsocket-connection.ts';

/** As for a body over HTTP, and the frame around it. */
const MAX_MESSAGE_BYTES = (1 << 20) + 1024;
const WATCH_MS = 1000;

/** Accepts WebSockets beside the HTTP routes, on any path, and speaks RSocket over them. */
export class WebSocketServer {
  readonly #context: RouteContext;
  readonly #upgrader: Upgrader;
  readonly #connections = new Map<WebSocket, RSocketConnection>();
  readonly #stop = new AbortController();
  #onLast: () => void = () => {};

  /** `onUpgrade` is told of every socket that leaves HTTP. */
  constructor(server: Server, context: RouteContext, onUpgrade: (socket: Duplex) => void) {
    this.#context = context;
    this.#upgrader = new Upgrader({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      // spec/protocol.md 3.1: small windows, for there is a compressor per connection.
      perMessageDeflate: {
        clientNoContextTakeover: true,
        serverMaxWindowBits: 12,
        zlibDeflateOptions: { level: 3, memLevel: 7 },
        concurrencyLimit: 8,
      },
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      onUpgrade(socket);
      this.#upgrader.handleUpgrade(request, socket, head, (upgraded) => this.#accept(upgraded));
    });
    void this.#watch();
  }

  /** Waits for at most `graceMs` for the clients to leave, whose streams have been ended. */
  async close(graceMs: number): Promise<void> {
    for (const connection of this.#connections.values()) connection.finish();
    const left = new AbortController();
    this.#onLast = () => left.abort();
    if (this.#connections.size > 0) await pause(systemClock, graceMs, left.signal);
    for (const socket of this.#connections.keys()) socket.terminate();
    this.#stop.abort();
    this.#upgrader.close();
  }

  #accept(socket: WebSocket): void {
    const { logger } = this.#context;
    const connection = new RSocketConnection(socket, this.#context, Date.now());
    this.#connections.set(socket, connection);
    socket.binaryType = 'nodebuffer';
    socket.on('message', (message: Buffer) => connection.receive(message, Date.now()));
    socket.on('error', (error) => logger.debug('websocket_failed', { message: error.message }));
    socket.once('close', () => {
      connection.closed();
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#onLast();
    });
  }

  /** Drops connections that are silent for longer than their setup allows (3.7). */
  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(systemClock, WATCH_MS, signal);
      for (const [socket, connection] of this.#connections) {
        if (connection.isOverdue(Date.now())) socket.terminate();
      }
    }
  }
}
