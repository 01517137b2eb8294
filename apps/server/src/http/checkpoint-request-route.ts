import type { FastifyInstance } from 'fastify';
import { SyncError, type JsonObject, type JsonValue } from '@sluice/base';
import { requireToken } from '@sluice/auth';
import { userKey } from '../auth/user-key.ts';
import type { RouteContext } from './http-server.ts';
import { headerText, mergedParameters, sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

/** POST /sync/checkpoint-request (spec/protocol.md 1.2, 5.2). */
export function registerCheckpointRequestRoute(app: FastifyInstance, context: RouteContext): void {
  const { backend, groups } = context;
  app.post(
    '/sync/checkpoint-request',
    { onRequest: runInGroup(groups.checkpoint) },
    async (request, reply) => {
      const { clientId, id } = parseCheckpointRequest(mergedParameters(request));
      const token = requireToken(headerText(request.headers.authorization));
      const { claims } = await backend.verifyUser(token);
      const value = await backend.requestCheckpoint(userKey(claims['sub'], clientId), id);
      return sendJson(reply, { data: { checkpoint_request_id: value.toString() } });
    },
  );
}

const MAX_ID = 2n ** 63n - 1n;

/** @throws SyncError `SYNC_REQUEST_INVALID`, naming every field that is wrong. */
function parseCheckpointRequest(parameters: JsonObject): {
  readonly clientId: string;
  readonly id: bigint;
} {
  const { client_id: clientId, checkpoint_request_id: given } = parameters;
  const id = parseId(given);
  if (typeof clientId === 'string' && id !== undefined) return { clientId, id };
  const problems = [
    ...(typeof clientId === 'string' ? [] : ['client_id must be a string']),
    ...(id === undefined ? ['checkpoint_request_id must be an integer from 1 to 2^63-1'] : []),
  ];
  const text = `The checkpoint request is invalid: ${problems.join('; ')}`;
  throw new SyncError('SYNC_REQUEST_INVALID', text, { details: { problems } });
}

/** A number is exact only up to 2^53-1; above, the client must send digits. */
function parseId(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 1 ? BigInt(value) : undefined;
  }
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) return undefined;
  const id = BigInt(value);
  return id >= 1n && id <= MAX_ID ? id : undefined;
}
