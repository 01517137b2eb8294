import net from 'node:net';
import { machineMs } from '../process-figures.ts';

const COMPLETE = '"checkpoint_complete"';
/** Gzip streams cannot be searched; the first checkpoint is there when so much of it is. */
const GZIP_HEAD_BYTES = 200;

/** One sync stream over a bare socket: what the client side costs must not hide what is measured. */
export class CrowdConnection {
  readonly #socket: net.Socket;
  #marker: string | undefined;
  #onMarker: (() => void) | undefined;
  #tail = '';
  markerAt: number | undefined;
  closed = false;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  /** Resolves once the first checkpoint is complete. */
  static open(options: {
    readonly port: number;
    readonly token: string;
    readonly body: string;
    readonly gzip: boolean;
  }): Promise<CrowdConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port: options.port, host: '127.0.0.1', noDelay: true });
      const connection = new CrowdConnection(socket);
      let head = '';
      let bytes = 0;
      socket.on('error', reject);
      socket.once('close', () => {
        connection.closed = true;
        reject(new Error(`The connection ended: ${head.slice(0, 300)}`));
      });
      socket.on('data', function untilComplete(chunk: Buffer) {
        bytes += chunk.length;
        head = (head + chunk.toString('latin1')).slice(-1000);
        if (!(options.gzip ? bytes > GZIP_HEAD_BYTES : head.includes(COMPLETE))) return;
        socket.off('data', untilComplete);
        socket.on('data', (part: Buffer) => connection.#take(part));
        head = '';
        resolve(connection);
      });
      socket.write(requestText(options));
    });
  }

  /** `onArrival` is called once, with the first of what holds the marker; with '', of anything. */
  watch(marker: string, onArrival: () => void): void {
    this.#marker = marker;
    this.#onMarker = onArrival;
    this.#tail = '';
    this.markerAt = undefined;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const marker = this.#marker;
    if (marker === undefined || this.markerAt !== undefined) return;
    const text = this.#tail + chunk.toString('latin1');
    this.#tail = text.slice(-marker.length);
    if (!text.includes(marker)) return;
    this.markerAt = machineMs();
    this.#onMarker?.();
  }
}

function requestText(options: {
  readonly token: string;
  readonly body: string;
  readonly gzip: boolean;
}): string {
  return [
    'POST /sync/stream HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    `authorization: Token ${options.token}`,
    'accept: application/x-ndjson',
    'user-agent: sluice-bench',
    ...(options.gzip ? ['accept-encoding: gzip'] : []),
    `content-length: ${Buffer.byteLength(options.body)}`,
    '',
    options.body,
  ].join('\r\n');
}
