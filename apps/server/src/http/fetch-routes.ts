import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '@sluice/base';
import type { RequestHandler, Route } from '@sluice/write-api';

export interface FetchRoutes {
  readonly routes: readonly Pick<Route, 'method' | 'path'>[];
  readonly handle: RequestHandler;
}

/**
 * Mounts a handler of web standard requests (the write API) at its routes. It reads bodies itself, with
 * limits of its own, so no parser of ours runs before it.
 */
export function registerFetchRoutes(app: FastifyInstance, { routes, handle }: FetchRoutes): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const { method, path } of routes) {
      scope.route({
        method,
        url: path,
        handler: async (request, reply) => {
          const response = await handle(toWebRequest(request), { address: request.ip });
          return sendWebResponse(reply, response);
        },
      });
    }
  });
}

function toWebRequest({ raw, host, method }: FastifyRequest): Request {
  const url = `http://${host || 'localhost'}${raw.url ?? '/'}`;
  if (!URL.canParse(url)) throw new SyncError('SYNC_REQUEST_INVALID', 'The Host header is no host');
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(url, {
    method,
    headers: Object.entries(raw.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
    ...(hasBody ? { body: Readable.toWeb(raw) as ReadableStream, duplex: 'half' } : {}),
  });
}

async function sendWebResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  for (const [name, value] of response.headers) reply.header(name, value);
  return reply.code(response.status).send(Buffer.from(await response.arrayBuffer()));
}
