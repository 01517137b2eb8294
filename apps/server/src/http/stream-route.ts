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
} from '@sluice/protocol';
import { requireToken } from '../auth/authorization-header.ts';
import { userKey } from '../auth/user-key.ts';
import { clientFacts } from './client-facts.ts';
import type { RouteContext } from './http-server.ts';
import { RefusalLog } from './refusal-log.ts';
import { CORS_HEADERS, headerText, mergedParameters } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';
import { gzipEncoder, identityEncoder } from './stream-encoder.ts';
import { StreamWriter } from './stream-writer.ts';

/**
 * POST /sync/stream (spec/protocol.md 2). Split so that what is only needed to begin (the request's
 * buckets, the first batch) is let go of before the long wait.
 */
export function registerStreamRoute(app: FastifyInstance, context: RouteContext): void {
  const refusals = new RefusalLog(context.logger, context.limits.maxConcurrentConnections);
  const onRequest = runInGroup(context.groups.stream, () => refusals.add(Date.now()));
  app.post('/sync/stream', { onRequest }, async (request, reply): Promise<void> => {
    const stream = await openStream(context, request, reply);
    const leave = context.streams.add();
    try {
      await serveStream(stream, reply, context);
    } finally {
      leave();
      await stream.batches.return?.();
      context.logger.info('stream_closed', {
        user: stream.user,
        openMs: Date.now() - stream.openedAtMs,
      });
    }
  });
}

interface OpenedStream {
  readonly user: string;
  readonly format: StreamFormat;
  readonly encoding: ContentEncoding;
  readonly batches: AsyncIterator<readonly Uint8Array[]>;
  readonly signal: AbortSignal;
  readonly openedAtMs: number;
}

async function openStream(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OpenedStream> {
  const { headers } = request;
  // The order of checks is the protocol's: form before authorisation (1.1.2).
  const streamRequest = parseStreamRequest(mergedParameters(request));
  request.body = undefined;
  const jwt = requireToken(headerText(headers.authorization));
  await context.openings.enter();
  context.streams.assertOpen();
  const token = await context.backend.verifyUser(jwt);
  const user = userKey(token.claims['sub'], streamRequest.clientId);
  const format = negotiateFormat(headerText(headers.accept));
  // zstd is not offered: gzip runs are shared between connections and need no state in between,
  // while Node cannot read concatenated zstd frames, so that each connection would need its own.
  const encoding = negotiateEncoding(headerText(headers['accept-encoding']), { zstd: false });
  const gone = new AbortController();
  const { signal } = gone;
  reply.raw.once('close', () => gone.abort());
  if (reply.raw.destroyed) gone.abort();
  const open = { request: streamRequest, token, user, format, keepalive: true, signal };
  const batches = context.backend.openStream(open)[Symbol.asyncIterator]();
  context.logger.info('stream_opened', {
    user,
    format,
    encoding,
    ...clientFacts(
      headerText(request.headers['x-user-agent'] ?? request.headers['user-agent']),
      streamRequest,
    ),
  });
  return { user, format, encoding, batches, signal, openedAtMs: Date.now() };
}

async function serveStream(
  stream: OpenedStream,
  reply: FastifyReply,
  context: RouteContext,
): Promise<void> {
  try {
    const writer = await beginStream(stream, reply, context);
    while (await writeNext(stream.batches, writer));
    writer.end();
  } catch (error) {
    // Until the first batch, a failure can be told as a JSON error (1.4).
    if (!reply.sent) throw error;
    // Without a proper end of the body the client sees that something is missing.
    reply.raw.destroy();
    if (stream.signal.aborted) return;
    const { code, message } = toAppError(error);
    if (code === 'SYNC_CLIENT_TOO_SLOW') context.streams.droppedSlow += 1;
    context.logger.warn('stream_failed', { user: stream.user, code, message });
  }
}

/** Sends the head together with the first batch. */
async function beginStream(
  stream: OpenedStream,
  reply: FastifyReply,
  { inFlight, limits }: RouteContext,
): Promise<StreamWriter> {
  const first = await stream.batches.next();
  reply.hijack();
  writeHead(reply.raw, stream.format, stream.encoding);
  const encoder = stream.encoding === 'gzip' ? gzipEncoder() : identityEncoder();
  const writer = new StreamWriter({
    response: reply.raw,
    encoder,
    signal: stream.signal,
    inFlight,
    stallTimeoutMs: limits.slowClientTimeoutMs,
  });
  if (!first.done) await writer.write(first.value);
  return writer;
}

async function writeNext(
  batches: AsyncIterator<readonly Uint8Array[]>,
  writer: StreamWriter,
): Promise<boolean> {
  const batch = await batches.next();
  if (batch.done) return false;
  await writer.write(batch.value);
  return true;
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
