import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, SyncError, type JsonObject } from '@sluice/base';
import { requireApiToken } from '../auth/authorization-header.ts';
import type { RouteContext } from './http-server.ts';
import { headerText, mergedParameters, sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

/** The admin routes (spec/protocol.md 1.2, 1.3). */
export function registerAdminRoutes(app: FastifyInstance, context: RouteContext): void {
  const { admin } = context.backend;
  const onRequest = runInGroup(context.groups.admin);
  const authorize = (request: FastifyRequest): void =>
    requireApiToken(headerText(request.headers.authorization), context.apiTokens);
  const post = (path: string, handler: (request: FastifyRequest) => Promise<unknown>): void => {
    app.post(path, { onRequest }, async (request, reply) => {
      authorize(request);
      return sendJson(reply, { data: await handler(request) });
    });
  };
  const pinned = (): Promise<never> =>
    Promise.reject(
      new AppError('API_SYNC_CONFIG_PINNED', 'The sync config comes from the configuration file'),
    );

  post('/api/admin/v1/diagnostics', (request) => {
    const { sync_rules_content: withContent } = mergedParameters(request);
    return admin.diagnostics({ withContent: withContent === true });
  });
  post('/api/admin/v1/schema', () => admin.schema());
  post('/api/admin/v1/validate', (request) =>
    admin.validate(requiredText(mergedParameters(request), 'sync_rules')),
  );
  post('/api/admin/v1/reprocess', pinned);
  post('/api/sync-rules/v1/deploy', pinned);
  post('/api/sync-rules/v1/reprocess', pinned);
  registerRulesRoutes(app, { ...context, onRequest, authorize });
}

interface RulesRoutes extends RouteContext {
  readonly onRequest: ReturnType<typeof runInGroup>;
  readonly authorize: (request: FastifyRequest) => void;
}

/** These two answer pretty JSON; `validate` without the usual envelope. */
function registerRulesRoutes(app: FastifyInstance, routes: RulesRoutes): void {
  const { admin } = routes.backend;
  app.addContentTypeParser(
    ['application/yaml', 'application/x-yaml', 'text/yaml'],
    { parseAs: 'string' },
    (_request, body, done) => done(null, { content: body }),
  );
  app.get(
    '/api/sync-rules/v1/current',
    { onRequest: routes.onRequest },
    async (request, reply): Promise<FastifyReply> => {
      routes.authorize(request);
      const data = { current: await admin.current(), next: null };
      return sendJson(reply, { data }, { pretty: true });
    },
  );
  app.post(
    '/api/sync-rules/v1/validate',
    { onRequest: routes.onRequest },
    async (request, reply): Promise<FastifyReply> => {
      const content = requiredText(mergedParameters(request), 'content');
      routes.authorize(request);
      return sendJson(reply, admin.rulesInfo(content), { pretty: true });
    },
  );
}

function requiredText(parameters: JsonObject, name: string): string {
  const value = parameters[name];
  if (typeof value === 'string') return value;
  throw new SyncError('SYNC_REQUEST_INVALID', `${name} must be given as text`, {
    details: { problems: [`${name} must be a string`] },
  });
}
