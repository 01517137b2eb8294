import type { FastifyInstance } from 'fastify';
import { registerFetchRoutes } from './fetch-routes.ts';
import type { RouteContext } from './http-server.ts';

/** What the write API answers (docs/backend.md); tokens are mounted apart, with turns of their own. */
const PATHS = ['/upload', '/data/*', '/functions/*'] as const;

/** The routes of the write API. */
export function registerWriteApiRoutes(app: FastifyInstance, context: RouteContext): void {
  const { writeApi } = context.backend;
  if (writeApi === undefined) return;
  const { handle, maxBodyBytes } = writeApi;
  registerFetchRoutes(app, { paths: PATHS, maxBodyBytes, handle });
}
