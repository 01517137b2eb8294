import { fastify, type FastifyInstance } from 'fastify';
import {
  AppError,
  ConcurrencyGroup,
  ERROR_TABLE,
  SyncError,
  systemClock,
  failureFacts,
  type Logger,
} from '@sluice/base';
import { registerAdminRoutes } from './admin-routes.ts';
import type { HttpBackend } from './backend.ts';
import { BytesInFlight } from './bytes-in-flight.ts';
import { registerCheckpointRequestRoute } from './checkpoint-request-route.ts';
import { ConnectionTracker } from './connection-tracker.ts';
import { registerFetchRoutes, type FetchRoutes } from './fetch-routes.ts';
import { frameworkError } from './framework-error.ts';
import { registerProbeRoutes } from './probe-routes.ts';
import { CORS_HEADERS, PREFLIGHT_HEADERS, sendJson } from './request-context.ts';
import { listenError } from './listen-error.ts';
import type { RunCompressor } from './shared-runs.ts';
import { StreamEncoders } from './stream-encoders.ts';
import { StreamRegistry, type StreamCounts } from './stream-registry.ts';
import { WebSocketServer } from '../websocket/websocket-server.ts';
import { registerStreamRoute } from './stream-route.ts';
import { registerSyncRulesRoutes } from './sync-rules-routes.ts';
import { Turnstile } from './turnstile.ts';
import { registerWebAppRoute } from './web-app-route.ts';
import { toWireError } from './wire-error.ts';
import { registerWriteApiRoutes } from './write-api-routes.ts';
import { registerWriteCheckpointRoute } from './write-checkpoint-route.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: StreamLimits;
  readonly apiTokens: readonly string[];
  /** Whether the routes under `/probes` exist. */
  readonly probes: boolean;
  /** A folder whose files are served beside the routes. */
  readonly webApp?: string | undefined;
  /** Hides the inside from error bodies. */
  readonly production: boolean;
  readonly backend: HttpBackend;
  /** Makes zstd frames, where the runtime can (`runtimeZstd`); it is not offered otherwise. */
  readonly zstd?: RunCompressor | undefined;
  /** Between the last line of a stream over RSocket and its end; a second if left out. */
  readonly completeDelayMs?: number | undefined;
  /** Handlers of their own, such as what gives out tokens. */
  readonly fetchRoutes?: readonly FetchRoutes[] | undefined;
  readonly logger: Logger;
}

/** What all streams together, and each of them, may take (`api.parameters`). */
interface StreamLimits {
  readonly maxConcurrentConnections: number;
  /** Handed to connections without its having left; above it large batches wait. */
  readonly maxBytesInFlight: number;
  /** How long a client may take nothing of what it was sent before it is dropped. */
  readonly slowClientTimeoutMs: number;
}

/** What the routes share. */
export interface RouteContext extends HttpServerOptions {
  readonly groups: {
    readonly admin: ConcurrencyGroup;
    readonly checkpoint: ConcurrencyGroup;
    readonly stream: ConcurrencyGroup;
  };
  readonly streams: StreamRegistry;
  readonly encoders: StreamEncoders;
  readonly inFlight: BytesInFlight;
  /** Passed by everybody who opens a stream, before anything is looked up for them. */
  readonly openings: Turnstile;
}

const MAX_BODY_BYTES = 1024 * 1024;
/** A client that takes nothing for so long may be dropped once the memory for all is used up. */
const SHED_AFTER_MS = 2000;
/** Connections that may wait to be accepted when all clients come at once; the system has a limit too. */
const LISTEN_BACKLOG = 8192;

/** The HTTP side of the service (spec/protocol.md 1), listening. */
export class HttpServer {
  readonly #app: FastifyInstance;
  readonly #context: RouteContext;
  readonly #connections: ConnectionTracker;
  readonly #webSockets: WebSocketServer;
  readonly url: string;

  private constructor(parts: {
    readonly app: FastifyInstance;
    readonly context: RouteContext;
    readonly connections: ConnectionTracker;
    readonly webSockets: WebSocketServer;
    readonly url: string;
  }) {
    this.#app = parts.app;
    this.#context = parts.context;
    this.#connections = parts.connections;
    this.#webSockets = parts.webSockets;
    this.url = parts.url;
  }

  /** Rejects when the address is in use or may not be listened on. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const context: RouteContext = {
      ...options,
      groups: {
        admin: new ConcurrencyGroup({ maxRunning: 10, maxQueued: 20 }),
        checkpoint: new ConcurrencyGroup({ maxRunning: 100, maxQueued: 100 }),
        stream: new ConcurrencyGroup({
          maxRunning: options.limits.maxConcurrentConnections,
          maxQueued: 0,
        }),
      },
      streams: new StreamRegistry(),
      encoders: new StreamEncoders(options.zstd),
      inFlight: new BytesInFlight(
        { maxBytes: options.limits.maxBytesInFlight, shedAfterMs: SHED_AFTER_MS },
        systemClock,
      ),
      openings: new Turnstile(),
    };
    const app = createApp(context);
    const connections = new ConnectionTracker(app.server);
    const webSockets = new WebSocketServer(app.server, context, (socket) =>
      connections.release(socket),
    );
    const { host, port } = options;
    try {
      const address = await app.listen({ host, port, backlog: LISTEN_BACKLOG });
      const url = address.replace('[::]', 'localhost');
      return new HttpServer({ app, context, connections, webSockets, url });
    } catch (cause) {
      await webSockets.close(0);
      throw listenError(cause, host, port);
    }
  }

  /** Sync streams that are open, and that have ended. */
  get streams(): StreamCounts {
    return this.#context.streams.counts;
  }

  /** Bytes handed to connections that have not left. */
  get bytesInFlight(): number {
    return this.#context.inFlight.bytes;
  }

  /** Open sync streams. */
  get streamCount(): number {
    const { http, websocket } = this.streams.open;
    return http + websocket;
  }

  /** Requests that run and wait, by the group that bounds them. */
  get queues(): Readonly<Record<string, number>> {
    const { admin, checkpoint } = this.#context.groups;
    return {
      admin_running: admin.running,
      admin_waiting: admin.waiting,
      checkpoint_running: checkpoint.running,
      checkpoint_waiting: checkpoint.waiting,
    };
  }

  /**
   * Stops listening, lets what is running end for at most `graceMs`, then cuts it. Streams must be
   * told to end by whoever feeds them.
   */
  async close(graceMs: number): Promise<void> {
    this.#context.streams.refuseNew();
    const closed = this.#app.close();
    this.#connections.closeIdle();
    const socketsClosed = this.#webSockets.close(graceMs);
    const timer = setTimeout(() => this.#app.server.closeAllConnections(), graceMs);
    try {
      await Promise.all([closed, socketsClosed]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function createApp(context: RouteContext): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    forceCloseConnections: false,
    http: { noDelay: true },
  });
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS') return reply.code(204).headers(PREFLIGHT_HEADERS).send();
    reply.headers(CORS_HEADERS);
    return undefined;
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(context, reply, new AppError('API_ROUTE_MISSING', `No route ${request.method} here`)),
  );
  app.setErrorHandler((error, _request, reply) => sendError(context, reply, error));
  registerStreamRoute(app, context);
  registerWriteCheckpointRoute(app, context);
  registerCheckpointRequestRoute(app, context);
  registerAdminRoutes(app, context);
  registerSyncRulesRoutes(app, context);
  registerWriteApiRoutes(app, context);
  if (context.probes) registerProbeRoutes(app, context);
  for (const routes of context.fetchRoutes ?? []) registerFetchRoutes(app, routes);
  if (context.webApp !== undefined) registerWebAppRoute(app, context.webApp);
  return app;
}

type Reply = Parameters<typeof sendJson>[0];

function sendError(context: RouteContext, reply: Reply, error: unknown): Reply {
  const wire = frameworkError(error as never) ?? toWireError(error, context);
  logFailure(context.logger, error, wire.status);
  return sendJson(reply, wire.body, { status: wire.status });
}

/** What went wrong inside, and why a client was refused, at the level that the code has. */
function logFailure(logger: Logger, error: unknown, status: number): void {
  if (status < 500 && !(error instanceof SyncError)) return;
  const facts = failureFacts(error);
  const event = status < 500 ? 'http_request_refused' : 'http_request_failed';
  logger[ERROR_TABLE[facts.code].logLevel](event, { ...facts });
}
