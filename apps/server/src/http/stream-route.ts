import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toAppError } from '@sluice/base';
import {
  CONTENT_TYPES,
  negotiateEncoding,
  negotiateFormat,
  parseStreamRequest,
  type ContentEncoding,
  type StreamFormat,
  type StreamRequest,
} from '@sluice/protocol';
import { requireToken } from '../auth/authorization-header.ts';
import { userKey } from '../auth/user-key.ts';
import type { RouteContext } from './http-server.ts';
import { pumpStream } from './pump-stream.ts';
import { CORS_HEADERS, headerText, mergedParameters } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';
import { gzipEncoder, identityEncoder } from './stream-encoder.ts';

/** POST /sync/stream (spec/protocol.md 2). */
export function registerStreamRoute(app: FastifyInstance, context: RouteContext): void {
  const { groups } = context;
  app.post(
    '/sync/stream',
    { onRequest: runInGroup(groups.stream) },
    async (request, reply): Promise<void> => {
      // The order of checks is the protocol's: form before authorisation (1.1.2).
      const streamRequest = parseStreamRequest(mergedParameters(request));
      const token = requireToken(headerText(request.headers.authorization));
      context.streams.assertOpen();
      const verified = await context.backend.verifyUser(token);
      await serveStream({ context, request, reply, streamRequest, verified });
    },
  );
}

interface Serve {
  readonly context: RouteContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly streamRequest: StreamRequest;
  readonly verified: Awaited<ReturnType<RouteContext['backend']['verifyUser']>>;
}

async function serveStream(serve: Serve): Promise<void> {
  const { context, request, reply, streamRequest, verified } = serve;
  const user = userKey(verified.claims['sub'], streamRequest.clientId);
  const format = negotiateFormat(headerText(request.headers.accept));
  const encoding = negotiateEncoding(headerText(request.headers['accept-encoding']), {
    zstd: false,
  });
  const gone = new AbortController();
  const { signal } = gone;
  reply.raw.once('close', () => gone.abort());
  if (reply.raw.destroyed) gone.abort();

  const leave = context.streams.add();
  const startedAtMs = Date.now();
  context.logger.info('stream_opened', { user, format, encoding, ...clientFacts(serve) });
  let batches: AsyncIterator<readonly Uint8Array[]> | undefined;
  try {
    const stream = { request: streamRequest, token: verified, user, format, signal };
    batches = context.backend.openStream(stream)[Symbol.asyncIterator]();
    // Until the first batch, a failure can be told as a JSON error (1.4).
    const first = await batches.next();
    reply.hijack();
    writeHead(reply.raw, format, encoding);
    const encoder = encoding === 'gzip' ? gzipEncoder() : identityEncoder();
    await pumpStream(reply.raw, batches, first, { encoder, signal });
  } catch (error) {
    if (!reply.sent) throw error;
    // Without a proper end of the body the client sees that something is missing.
    reply.raw.destroy();
    if (!signal.aborted) {
      const { code, message } = toAppError(error);
      context.logger.warn('stream_failed', { user, code, message });
    }
  } finally {
    leave();
    await batches?.return?.();
    context.logger.info('stream_closed', { user, openMs: Date.now() - startedAtMs });
  }
}

function writeHead(
  response: ServerResponse,
  format: StreamFormat,
  encoding: ContentEncoding,
): void {
  response.writeHead(200, {
    ...CORS_HEADERS,
    'content-type': CONTENT_TYPES[format],
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
  });
}

const MAX_LOGGED_KEYS = 20;
const MAX_LOGGED_LENGTH = 100;

/** Who the client says it is; bounded, because anybody can say anything. */
function clientFacts({ request, streamRequest }: Serve): Record<string, unknown> {
  const agent = request.headers['x-user-agent'] ?? request.headers['user-agent'];
  const metadata = Object.entries(streamRequest.appMetadata).slice(0, MAX_LOGGED_KEYS);
  return {
    userAgent: headerText(agent)?.slice(0, MAX_LOGGED_LENGTH),
    heldBuckets: streamRequest.buckets.length,
    ...(metadata.length === 0
      ? {}
      : {
          appMetadata: Object.fromEntries(
            metadata.map(([name, text]) => [name, text.slice(0, MAX_LOGGED_LENGTH)]),
          ),
        }),
  };
}
