import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { ConcurrencyGroup } from '@sluice/base';

/** A route's hook that counts its requests; above the bound they get 429 with an empty body. */
export function runInGroup(
  group: ConcurrencyGroup,
  onRefused: () => void = () => {},
): onRequestAsyncHookHandler {
  return async (_request: FastifyRequest, reply: FastifyReply) => {
    const leave = await group.enter();
    if (!leave) {
      onRefused();
      return reply.code(429).send();
    }
    // Closing may have come while this request was waiting for its turn.
    if (reply.raw.destroyed || reply.raw.closed) leave();
    else reply.raw.once('close', leave);
    return undefined;
  };
}
