import { silentLogger } from '@sluice/base';
import { HttpServer, type HttpServerOptions } from '../http/http-server.ts';

/** A server on a free port of this machine, over a backend of the test's; what is left out is as most tests want it. */
export function listenScripted(
  options: Pick<HttpServerOptions, 'backend'> & Partial<HttpServerOptions>,
): Promise<HttpServer> {
  return HttpServer.listen({
    host: '127.0.0.1',
    port: 0,
    limits: { maxConcurrentConnections: 2, maxBytesInFlight: 1 << 28, slowClientTimeoutMs: 60_000 },
    apiTokens: [],
    probes: false,
    production: true,
    logger: silentLogger,
    ...options,
  });
}
