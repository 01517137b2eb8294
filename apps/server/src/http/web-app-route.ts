import type { FastifyInstance } from 'fastify';
import sirv from 'sirv';
import { AppError } from '@sluice/base';

/**
 * GET of everything that is no route of the service: the files of a web app (`api.web_app`), with ETags. A page that is rebuilt
 * meanwhile is served as it is.
 */
export function registerWebAppRoute(app: FastifyInstance, folder: string): void {
  const serve = sirv(folder, { dev: true, etag: true });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/*',
    handler: (request, reply) => {
      let missing = false;
      serve(request.raw, reply.raw, () => {
        missing = true;
      });
      if (missing) throw new AppError('API_ROUTE_MISSING', `No file ${request.url} here`);
      reply.hijack();
    },
  });
}
