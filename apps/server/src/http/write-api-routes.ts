import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteContext } from './http-server.ts';

/** What the write API answers (docs/backend.md); which methods, it knows itself. */
const PATHS = [
  '/upload',
  '/token',
  '/jwks',
  '/.well-known/jwks.json',
  '/data/*',
  '/functions/*',
] as const;

/** The routes of the write API, which takes web standard requests. */
export function registerWriteApiRoutes(app: FastifyInstance, context: RouteContext): void {
  const { writeApi } = context.backend;
  if (writeApi === undefined) return;
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Whoever reads it decides what it is; compressed bodies are bounded again when unpacked.
    const options = { parseAs: 'buffer', bodyLimit: writeApi.maxBodyBytes } as const;
    scope.addContentTypeParser('*', options, (_request, body, done) => done(null, body));
    for (const path of PATHS) {
      scope.route({
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url: path,
        handler: async (request, reply) =>
          send(reply, await writeApi.handle(toWebRequest(request))),
      });
    }
  });
}

function toWebRequest(request: FastifyRequest): Request {
  const body = request.body instanceof Buffer ? request.body : undefined;
  const { host = 'localhost' } = request.headers;
  return new Request(`http://${host}${request.url}`, {
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
