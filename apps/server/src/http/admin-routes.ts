import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';
import { requireApiToken } from '../auth/require-api-token.ts';
import type { SqlRequest } from './backend.ts';
import type { RouteContext } from './http-server.ts';
import { invalidParameters, requiredText } from './parameters.ts';
import { headerText, mergedParameters, sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

/** The routes under /api/admin/v1 (spec/protocol.md 1.2, 1.3); the last three are our own. */
export function registerAdminRoutes(app: FastifyInstance, context: RouteContext): void {
  const { admin } = context.backend;
  const onRequest = runInGroup(context.groups.admin);
  /** Parameters are looked at before the token is (1.1.2). */
  const post = <T>(
    name: string,
    parse: (parameters: JsonObject) => T,
    handle: (input: T) => Promise<unknown>,
  ): void => {
    app.post(`/api/admin/v1/${name}`, { onRequest }, async (request, reply) => {
      const input = parse(mergedParameters(request));
      authorizeAdmin(request, context);
      return sendJson(reply, { data: await handle(input) });
    });
  };
  const nothing = (): undefined => undefined;
  const config = (parameters: JsonObject): string => requiredText(parameters, 'sync_rules');

  post('execute-sql', sqlRequest, (request) => admin.executeSql(request));
  post('diagnostics', diagnosticsRequest, (request) => admin.diagnostics(request));
  post('schema', nothing, () => admin.schema());
  post('reprocess', nothing, async () => {
    const slot = await admin.reprocess();
    return { connections: [{ ...admin.place(), ...slot }] };
  });
  post('validate', config, (text) => admin.validate(text));

  post('plan', config, (text) => admin.plan(text));
  post('rollback', nothing, () => admin.rollBack());
  post('status', nothing, () => admin.status());
}

/** @throws AppError `API_TOKEN_INVALID`. */
export function authorizeAdmin(request: FastifyRequest, context: RouteContext): void {
  requireApiToken(headerText(request.headers.authorization), context.apiTokens);
}

function diagnosticsRequest(parameters: JsonObject): { readonly withContent: boolean } {
  const { sync_rules_content: content } = parameters;
  // In a query string it can only be text.
  const withContent = content === true || content === 'true';
  if (!withContent && ![undefined, null, false, 'false'].includes(content as null)) {
    throw invalidParameters(['sync_rules_content must be a boolean']);
  }
  return { withContent };
}

function sqlRequest(parameters: JsonObject): SqlRequest {
  const { sql, connection_id: connectionId } = parameters;
  const problems: string[] = [];
  const { query, args } = isJsonObject(sql) ? sql : {};
  if (typeof query !== 'string') problems.push('sql.query must be a string');
  if (!Array.isArray(args) || !args.every(isArgument)) {
    problems.push('sql.args must be a list of strings, numbers and booleans');
  }
  if (connectionId !== undefined && typeof connectionId !== 'string') {
    problems.push('connection_id must be a string');
  }
  if (problems.length > 0) throw invalidParameters(problems);
  return { sql: query, args, connectionId } as SqlRequest; // each was checked above
}

function isArgument(value: JsonValue): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
