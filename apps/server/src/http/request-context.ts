import type { FastifyReply, FastifyRequest } from 'fastify';
import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';

/** Query string, then body fields; later ones win (spec/protocol.md 1.1.1). */
export function mergedParameters(request: FastifyRequest): JsonObject {
  const query = request.query as Readonly<Record<string, JsonValue>>;
  return { ...query, ...(isJsonObject(request.body) ? request.body : {}) };
}

/** Sends JSON with exactly `application/json`; the framework would add a charset to text. */
export function sendJson(
  reply: FastifyReply,
  body: unknown,
  options: { readonly status?: number; readonly pretty?: boolean } = {},
): FastifyReply {
  const text = JSON.stringify(body, undefined, options.pretty ? 2 : undefined);
  return reply
    .code(options.status ?? 200)
    .header('content-type', 'application/json')
    .send(Buffer.from(text));
}

export function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Content-Type',
} as const;

export const PREFLIGHT_HEADERS = {
  ...CORS_HEADERS,
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Content-Type, Authorization, User-Agent, X-User-Agent',
  'access-control-max-age': '3600',
} as const;
