import type { FastifyInstance, FastifyReply } from 'fastify';
import type { JsonObject } from '@sluice/base';
import { authorizeAdmin } from './admin-routes.ts';
import type { RouteContext } from './http-server.ts';
import { invalidParameters, requiredText } from './parameters.ts';
import { mergedParameters, sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

const PATH = '/api/sync-rules/v1';

/** The routes under /api/sync-rules/v1 (spec/protocol.md 1.2). */
export function registerSyncRulesRoutes(app: FastifyInstance, context: RouteContext): void {
  const { admin } = context.backend;
  const onRequest = runInGroup(context.groups.admin);

  // Only within this scope a body may be YAML.
  void app.register((scope, _options, done) => {
    scope.addContentTypeParser(
      ['application/yaml', 'application/x-yaml', 'text/yaml'],
      { parseAs: 'string' },
      (_request, content, parsed) => parsed(null, { content }),
    );
    scope.post(`${PATH}/deploy`, { onRequest }, async (request, reply): Promise<FastifyReply> => {
      const content = requiredText(mergedParameters(request), 'content');
      authorizeAdmin(request, context);
      return sendJson(reply, { data: await admin.deploy(content) });
    });
    scope.post(`${PATH}/validate`, { onRequest }, async (request, reply): Promise<FastifyReply> => {
      const content = requiredText(mergedParameters(request), 'content');
      authorizeAdmin(request, context);
      return sendJson(reply, admin.rulesInfo(content), { pretty: true });
    });
    done();
  });
  app.get(`${PATH}/current`, { onRequest }, async (request, reply): Promise<FastifyReply> => {
    authorizeAdmin(request, context);
    return sendJson(reply, { data: await admin.current() }, { pretty: true });
  });
  app.post(`${PATH}/reprocess`, { onRequest }, async (request, reply): Promise<FastifyReply> => {
    assertEmpty(mergedParameters(request));
    authorizeAdmin(request, context);
    return sendJson(reply, { data: await admin.reprocess() });
  });
}

/** The only route that refuses what it does not know (1.1.5). */
function assertEmpty(parameters: JsonObject): void {
  const names = Object.keys(parameters);
  if (names.length > 0) throw invalidParameters(names.map((name) => `${name} is not allowed`));
}
