import type { WebSocket } from 'ws';
import { AppError, failureFacts, pause, SyncError, systemClock } from '@sluice/base';
import {
  encodeComplete,
  encodeError,
  encodeKeepaliveAnswer,
  FrameError,
  parseFrame,
  parseStreamRequest,
  payloadHeader,
  RSOCKET_ERRORS,
  type Frame,
  type RequestStreamFrame,
  type SetupFrame,
} from '@sluice/protocol';
import { parseAuthorization, type VerifiedToken } from '@sluice/auth';
import { userKey } from '../auth/user-key.ts';
import { clientFacts } from '../http/client-facts.ts';
import type { SentCounts } from '../http/backend.ts';
import type { RouteContext } from '../http/http-server.ts';
import { endReason, logStreamEnd } from '../http/stream-end.ts';
import { streamErrorText, wireErrorText } from '../http/wire-error.ts';
import { CreditedStream } from './credited-stream.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { MessageSocket } from './message-socket.ts';
import { payloadDecoder, type DecodePayload } from './payload-codec.ts';
import { StallLimit } from './stall-limit.ts';

/** Frames that may wait until authentication is done; clients send one or two. */
const MAX_WAITING_FRAMES = 16;
const MAX_STREAMS = 8;
/** Used until a setup names another. */
const SETUP_TIMEOUT_MS = 10_000;
/** Time for the client to read the last lines, before COMPLETE, unless the server's options say otherwise. */
const COMPLETE_DELAY_MS = 1000;

/** What the log says of a stream; more of it becomes known when its request is read. */
interface AboutStream {
  facts: Readonly<Record<string, unknown>>;
  sent: SentCounts | undefined;
}

interface Accepted {
  readonly token: VerifiedToken;
  readonly userAgent: string | undefined;
  readonly metadata: DecodePayload;
  readonly data: DecodePayload;
}

/**
 * The service's side of one RSocket connection (spec/protocol.md 3): a setup that says who the
 * client is, then streams of lines under credit.
 */
export class RSocketConnection {
  readonly #socket: MessageSocket;
  readonly #stalls: StallLimit;
  readonly #context: RouteContext;
  readonly #streams = new Map<number, CreditedStream>();
  readonly #requests = new FrameAssembler();
  /** Frames that came before the setup was accepted. */
  #waiting: Frame[] | undefined = [];
  #accepted: Accepted | undefined;
  #setupBegun = false;
  #isClosed = false;
  #isFinishing = false;
  #leaveGroup: (() => void) | undefined;
  #lifetimeMs = SETUP_TIMEOUT_MS;
  #heardAtMs: number;

  constructor(socket: WebSocket, context: RouteContext, nowMs: number) {
    const { inFlight, limits } = context;
    this.#stalls = new StallLimit({ inFlight, timeoutMs: limits.slowClientTimeoutMs });
    this.#socket = new MessageSocket(socket, this.#stalls);
    this.#context = context;
    this.#heardAtMs = nowMs;
  }

  /** Whether the client has been silent for longer than it said it would be. */
  isOverdue(nowMs: number): boolean {
    return nowMs - this.#heardAtMs > this.#lifetimeMs;
  }

  receive(message: Uint8Array, nowMs: number): void {
    if (this.#isClosed) return;
    this.#heardAtMs = nowMs;
    try {
      this.#take(parseFrame(message));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(RSOCKET_ERRORS.connectionError, error.message);
    }
  }

  /** Closes once the streams have ended, which whoever feeds them brings about. */
  finish(): void {
    this.#isFinishing = true;
    if (this.#streams.size === 0) this.#socket.close();
  }

  /** The connection is gone, or is to be: streams end and nothing more is sent. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stream of this.#streams.values()) stream.cancel();
    this.#leaveGroup?.();
  }

  #take(frame: Frame): void {
    if (frame.kind === 'keepalive') {
      if (frame.respond) this.#socket.answer(encodeKeepaliveAnswer(frame.data));
      return;
    }
    if (this.#accepted !== undefined) {
      this.#handle(frame, this.#accepted);
      return;
    }
    if (this.#setupBegun) {
      if ((this.#waiting?.push(frame) ?? 0) <= MAX_WAITING_FRAMES) return;
      this.#refuse(RSOCKET_ERRORS.connectionError, 'Too many frames before the setup was accepted');
    } else if (frame.kind === 'setup') {
      this.#setupBegun = true;
      void this.#setUp(frame);
    } else if (frame.kind === 'resume') {
      this.#refuse(RSOCKET_ERRORS.rejectedResume, 'Connections cannot be resumed');
    } else {
      this.#refuse(RSOCKET_ERRORS.unsupportedSetup, 'The first frame must be SETUP');
    }
  }

  async #setUp(frame: SetupFrame): Promise<void> {
    try {
      const accepted = await this.#accept(frame);
      if (this.#isClosed) return;
      this.#accepted = accepted;
      this.#lifetimeMs = frame.lifetimeMs;
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const next of waiting) this.#handle(next, accepted);
    } catch (error) {
      this.#logRefusal(error);
      this.#refuse(RSOCKET_ERRORS.rejectedSetup, wireErrorText(error, this.#context));
    }
  }

  /** @throws AppError; clients look at the code in the text of the answer (3.8). */
  async #accept(frame: SetupFrame): Promise<Accepted> {
    if (frame.majorVersion !== 1 || frame.resume || frame.lease) {
      const message = 'Only RSocket 1.0 without resumption and lease is supported';
      throw new SyncError('SYNC_REQUEST_INVALID', message);
    }
    const metadata = payloadDecoder(frame.metadataMime);
    const data = payloadDecoder(frame.dataMime);
    if (frame.metadata === undefined) {
      throw new SyncError('SYNC_TOKEN_INVALID', 'The setup has no metadata, so no token');
    }
    const { token: header, user_agent: userAgent } = metadata(frame.metadata, 'setup metadata');
    const jwt = typeof header === 'string' ? parseAuthorization(header) : undefined;
    if (jwt === undefined) {
      throw new SyncError('SYNC_TOKEN_MISSING', 'The setup carries no token');
    }
    this.#context.streams.assertOpen();
    this.#leaveGroup = await this.#context.groups.stream.enter();
    if (this.#leaveGroup === undefined) {
      throw new SyncError('SYNC_TOO_MANY_CONNECTIONS', 'Too many clients are connected');
    }
    if (this.#isClosed) this.#leaveGroup();
    await this.#context.openings.enter();
    const token = await this.#context.backend.verifyUser(jwt);
    return {
      token,
      userAgent: typeof userAgent === 'string' ? userAgent : undefined,
      metadata,
      data,
    };
  }

  #handle(frame: Frame, accepted: Accepted): void {
    switch (frame.kind) {
      case 'request stream':
        this.#request(frame.streamId, accepted, () => this.#requests.begin(frame));
        return;
      case 'payload':
        this.#request(frame.streamId, accepted, () => this.#requests.continue(frame));
        return;
      case 'request n':
        this.#streams.get(frame.streamId)?.grant(frame.n);
        return;
      case 'cancel':
        this.#requests.forget(frame.streamId);
        this.#streams.get(frame.streamId)?.cancel();
        return;
      case 'other request':
        this.#fail(frame.streamId, RSOCKET_ERRORS.rejected, 'Only REQUEST_STREAM is supported');
        return;
      case 'setup':
      case 'resume':
        this.#refuse(RSOCKET_ERRORS.connectionError, 'The connection is set up already');
        return;
      case 'error':
      case 'ignored':
      case 'keepalive':
        return;
    }
  }

  #request(
    streamId: number,
    accepted: Accepted,
    assemble: () => RequestStreamFrame | undefined,
  ): void {
    if (this.#streams.size + this.#requests.size >= MAX_STREAMS) {
      this.#fail(
        streamId,
        RSOCKET_ERRORS.rejected,
        `At most ${MAX_STREAMS} streams are open at once`,
      );
      return;
    }
    if (this.#streams.has(streamId)) return;
    try {
      const request = assemble();
      if (request !== undefined) void this.#serve(request, accepted);
    } catch (error) {
      this.#failWith(streamId, error);
    }
  }

  /** Never rejects. */
  async #serve(request: RequestStreamFrame, accepted: Accepted): Promise<void> {
    const { streamId } = request;
    const stream = new CreditedStream(request.initialN, this.#stalls);
    this.#streams.set(streamId, stream);
    const { streams, logger } = this.#context;
    const leave = streams.add('websocket');
    const openedAtMs = Date.now();
    const about: AboutStream = { facts: { transport: 'websocket' }, sent: undefined };
    let failure: unknown;
    let hasClientLeft = false;
    try {
      await this.#sendLines(request, accepted, stream, about);
      hasClientLeft = stream.signal.aborted;
      await this.#untilRead(stream);
      if (!stream.signal.aborted) this.#socket.answer(encodeComplete(streamId));
    } catch (error) {
      failure = error;
      hasClientLeft = stream.signal.aborted;
      if (!hasClientLeft) {
        this.#failWith(streamId, error);
      }
      // It reads nothing, so neither why its stream has ended.
      if (this.#socket.isFull) this.#socket.terminate();
    } finally {
      const end = {
        error: failure,
        isAnswered: false,
        hasClientLeft,
        isStopping: streams.isStopping,
        expiresAtMs: accepted.token.expiresAtMs,
        nowMs: Date.now(),
      };
      const reason = endReason(end);
      leave(reason);
      logStreamEnd(logger, reason, end, { ...about, openedAtMs });
      this.#streams.delete(streamId);
      if (this.#isFinishing) this.finish();
    }
  }

  /**
   * The official JavaScript client throws away what it has not looked at when COMPLETE comes; that
   * the token has expired, for one, and then comes back with the same token. Most end the stream
   * themselves once they have seen that line.
   */
  async #untilRead(stream: CreditedStream): Promise<void> {
    if (this.#isFinishing) return;
    const { completeDelayMs = COMPLETE_DELAY_MS } = this.#context;
    await pause(systemClock, completeDelayMs, stream.signal);
  }

  async #sendLines(
    { streamId, metadata, data }: RequestStreamFrame,
    accepted: Accepted,
    stream: CreditedStream,
    about: AboutStream,
  ): Promise<void> {
    const { backend, logger } = this.#context;
    checkPath(metadata && accepted.metadata(metadata, 'request metadata'));
    const request = parseStreamRequest(accepted.data(data, 'request data'));
    const { token } = accepted;
    const user = userKey(token.claims['sub'], request.clientId);
    const { signal } = stream;
    const format = 'bson';
    const { heldBuckets, ...client } = clientFacts(accepted.userAgent, request);
    about.facts = { user, transport: 'websocket', format, ...client };
    const source = backend.openStream({ request, token, user, format, keepalive: false, signal });
    about.sent = source.sent;
    const batches = source[Symbol.asyncIterator]();
    logger.info('stream_opened', { ...about.facts, heldBuckets });
    try {
      const header = payloadHeader(streamId);
      await stream.run(batches, (line) => this.#socket.send([header, ...line]));
    } finally {
      await batches.return?.();
    }
  }

  #failWith(streamId: number, error: unknown): void {
    const text = streamErrorText(error, this.#context);
    this.#fail(streamId, RSOCKET_ERRORS.applicationError, text);
  }

  #fail(streamId: number, code: number, text: string): void {
    this.#socket.answer(encodeError(streamId, code, text));
  }

  /** Refuses the connection as a whole. */
  #refuse(code: number, text: string): void {
    this.#socket.close(encodeError(0, code, text));
    this.closed();
  }

  #logRefusal(error: unknown): void {
    const facts = { ...failureFacts(error), transport: 'rsocket' };
    this.#context.logger.info('stream_refused', facts);
  }
}

/** @throws AppError `API_ROUTE_MISSING`, SyncError `SYNC_REQUEST_INVALID`. */
function checkPath(metadata: Readonly<Record<string, unknown>> | undefined): void {
  if (metadata === undefined) {
    throw new SyncError('SYNC_REQUEST_INVALID', 'The request has no metadata, so no path');
  }
  if (metadata['path'] !== '/sync/stream') {
    throw new AppError('API_ROUTE_MISSING', 'The only stream is /sync/stream');
  }
}
