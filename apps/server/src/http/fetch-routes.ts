import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '@sluice/base';
import type { RequestHandler } from '@sluice/write-api';

/** A handler of web standard requests and the paths that go to it, with whatever method. */
export interface FetchRoutes {
  readonly paths: readonly string[];
  /** Larger bodies are refused before they are read whole. */
  readonly maxBodyBytes: number;
  readonly handle: RequestHandler;
}

/** Mounts a handler; which methods it answers, and what bodies are, it knows itself. */
export function registerFetchRoutes(app: FastifyInstance, routes: FetchRoutes): void {
  const { paths, maxBodyBytes, handle } = routes;
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Whoever reads it decides what it is; compressed bodies are bounded again when unpacked.
    const options = { parseAs: 'buffer', bodyLimit: maxBodyBytes } as const;
    scope.addContentTypeParser('*', options, (_request, body, done) => done(null, body));
    for (const path of paths) {
      scope.route({
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url: path,
        handler: async (request, reply) =>
          send(reply, await handle(toWebRequest(request), { address: request.ip })),
      });
    }
  });
}

function toWebRequest(request: FastifyRequest): Request {
  const body = request.body instanceof Buffer ? request.body : undefined;
  const { host = 'localhost' } = request.headers;
  const url = `http://${host}${request.url}`;
  if (!URL.canParse(url)) throw new SyncError('SYNC_REQUEST_INVALID', 'The Host header is no host');
  return new Request(url, {
    method: request.method,
    headers: webHeaders(request.headers),
    ...(body === undefined ? {} : { body }),
  });
}

function webHeaders(headers: FastifyRequest['headers']): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) pairs.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  return pairs;
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  return reply.send(Buffer.from(await response.arrayBuffer()));
}
