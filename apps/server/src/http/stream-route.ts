import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  CONTENT_TYPES,
  negotiateEncoding,
  negotiateFormat,
  parseStreamRequest,
  type ContentEncoding,
  type StreamFormat,
} from '@sluice/protocol';
import { requireToken } from '@sluice/auth';
import { userKey } from '../auth/user-key.ts';
import { clientFacts } from './client-facts.ts';
import type { ClientStream } from './backend.ts';
import type { RouteContext } from './http-server.ts';
import { RefusalLog } from './refusal-log.ts';
import { endReason, logStreamEnd, type EndReason } from './stream-end.ts';
import { CORS_HEADERS, headerText, mergedParameters } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';
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
    const leave = context.streams.add('http');
    let failure: unknown;
    let isAnswered = false;
    try {
      await serveStream(stream, reply, context);
    } catch (error) {
      failure = error;
      // Until the first batch, a failure can be told as a JSON error (1.4).
      isAnswered = !reply.sent;
      if (isAnswered) throw error;
      // Without a proper end of the body the client sees that something is missing.
      reply.raw.destroy();
    } finally {
      noteEnd(stream, context, { failure, isAnswered, leave });
      await stream.batches.return?.();
    }
  });
}

interface OpenedStream {
  readonly format: StreamFormat;
  readonly encoding: ContentEncoding;
  readonly batches: AsyncIterator<readonly Uint8Array[]>;
  readonly signal: AbortSignal;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  readonly source: ClientStream;
  /** Who it is, for the log. */
  readonly facts: Readonly<Record<string, unknown>>;
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
  const encoding = negotiateEncoding(
    headerText(headers['accept-encoding']),
    context.encoders.supported,
  );
  const gone = new AbortController();
  const { signal } = gone;
  reply.raw.once('close', () => gone.abort());
  if (reply.raw.destroyed) gone.abort();
  const open = { request: streamRequest, token, user, format, keepalive: true, signal };
  const source = context.backend.openStream(open);
  const batches = source[Symbol.asyncIterator]();
  const about = { user, transport: 'http', format, encoding };
  const { heldBuckets, ...client } = clientFacts(
    headerText(request.headers['x-user-agent'] ?? request.headers['user-agent']),
    streamRequest,
  );
  const facts = { ...about, ...client };
  context.logger.info('stream_opened', { ...facts, heldBuckets });
  const { expiresAtMs } = token;
  const openedAtMs = Date.now();
  return { format, encoding, batches, signal, openedAtMs, expiresAtMs, source, facts };
}

async function serveStream(
  stream: OpenedStream,
  reply: FastifyReply,
  context: RouteContext,
): Promise<void> {
  const writer = await beginStream(stream, reply, context);
  while (await writeNext(stream.batches, writer));
  writer.end();
}

function noteEnd(
  stream: OpenedStream,
  { streams, logger }: RouteContext,
  how: {
    readonly failure: unknown;
    readonly isAnswered: boolean;
    readonly leave: (reason: EndReason) => void;
  },
): void {
  const end = {
    error: how.failure,
    isAnswered: how.isAnswered,
    // Also a connection that is closed right after the proper end.
    hasClientLeft: stream.signal.aborted,
    isStopping: streams.isStopping,
    expiresAtMs: stream.expiresAtMs,
    nowMs: Date.now(),
  };
  const reason = endReason(end);
  how.leave(reason);
  const { facts, openedAtMs, source } = stream;
  logStreamEnd(logger, reason, end, { facts, openedAtMs, sent: source.sent });
}

/** Sends the head together with the first batch. */
async function beginStream(
  stream: OpenedStream,
  reply: FastifyReply,
  { encoders, inFlight, limits }: RouteContext,
): Promise<StreamWriter> {
  const first = await stream.batches.next();
  reply.hijack();
  writeHead(reply.raw, stream.format, stream.encoding);
  const writer = new StreamWriter({
    response: reply.raw,
    encoder: encoders.open(stream.encoding),
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
