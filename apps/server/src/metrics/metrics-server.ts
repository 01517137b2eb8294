import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toAppError, type Logger } from '@sluice/base';
import { listenError } from '../http/listen-error.ts';
import type { ServiceMetrics } from './service-metrics.ts';

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: ServiceMetrics;
  readonly logger: Logger;
}

/**
 * `GET /metrics` on a port of its own, so that it can be kept from clients by a firewall. It asks for
 * no token: metrics name no user, bucket or row.
 */
export class MetricsServer {
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @throws AppError `API_LISTEN_FAILED`. */
  static async listen(options: MetricsServerOptions): Promise<MetricsServer> {
    const { host, port } = options;
    const server = newServer(options);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port)));
      server.listen({ host, port }, resolve);
    });
    const shownHost = host.includes(':') ? `[${host}]` : host;
    const url = `http://${shownHost}:${(server.address() as AddressInfo).port}/metrics`;
    return new MetricsServer(server, url);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

function newServer({ metrics, logger }: MetricsServerOptions): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => {
        const { code, message } = toAppError(error);
        logger.error('metrics_failed', { code, message });
        response.writeHead(500).end();
      },
    );
  });
}
