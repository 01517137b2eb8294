import type { FastifyInstance } from 'fastify';
import { SyncError } from '@sluice/base';
import { requireToken } from '@sluice/auth';
import { userKey } from '../auth/user-key.ts';
import type { RouteContext } from './http-server.ts';
import { headerText, mergedParameters, sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

/** GET /write-checkpoint2.json (spec/protocol.md 5.2). */
export function registerWriteCheckpointRoute(app: FastifyInstance, context: RouteContext): void {
  const { backend, groups } = context;
  app.get(
    '/write-checkpoint2.json',
    { onRequest: runInGroup(groups.checkpoint) },
    async (request, reply) => {
      const { client_id: clientId } = mergedParameters(request);
      if (clientId !== undefined && typeof clientId !== 'string') {
        throw new SyncError('SYNC_REQUEST_INVALID', 'client_id must be given once, as text', {
          details: { problems: ['client_id must be a string'] },
        });
      }
      const token = requireToken(headerText(request.headers.authorization));
      const { claims } = await backend.verifyUser(token);
      const value = await backend.createWriteCheckpoint(userKey(claims['sub'], clientId));
      return sendJson(reply, { data: { write_checkpoint: value.toString() } });
    },
  );
}
