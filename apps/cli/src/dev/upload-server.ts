import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { AppError, toAppError, type Logger } from '@sluice/base';
import { createUploadHandler, type RequestHandler } from '@sluice/write-api';
import { jwtVerify } from 'jose';
import pg from 'pg';
import { DEV_AUDIENCE, type DevKey } from './dev-token.ts';

export interface UploadServerOptions {
  readonly databaseUrl: string;
  readonly key: DevKey;
  readonly port: number;
  /** Undefined: every table of the schema `public`. */
  readonly tables: readonly string[] | undefined;
  readonly logger: Logger;
}

export interface UploadServer extends AsyncDisposable {
  readonly url: string;
  /** From now on these tables may be changed. */
  setTables(tables: readonly string[]): void;
}

const MAX_CONNECTIONS = 4;

/** The write endpoint of `sluice dev`, on loopback: `POST /upload` with a development token. */
export async function startUploadServer(options: UploadServerOptions): Promise<UploadServer> {
  const { logger } = options;
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: MAX_CONNECTIONS });
  pool.on('error', (error) => logger.warn('upload_connection_lost', { message: error.message }));
  const handlerFor = (tables: readonly string[] | undefined): RequestHandler =>
    createUploadHandler({
      database: pool,
      authenticate: (request) => authenticate(request, options.key),
      tables,
      logger,
    });
  let handler = handlerFor(options.tables);
  const server = createServer((incoming, outgoing) => {
    respond(handler, incoming, outgoing).catch((error: unknown) => {
      logger.warn('upload_answer_failed', { message: toAppError(error).message });
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://localhost:${port}/upload`,
    setTables(tables) {
      handler = handlerFor(tables);
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      await pool.end();
    },
  };
}

async function authenticate(request: Request, key: DevKey): Promise<{ id: string }> {
  const [, token] =
    /^(?:Token|Bearer) (\S+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  if (token === undefined) throw new AppError('SYNC_TOKEN_MISSING', 'The upload has no token');
  try {
    const secret = Buffer.from(key.k, 'base64url');
    const options = { algorithms: [key.alg], audience: DEV_AUDIENCE, clockTolerance: 60 };
    const { payload } = await jwtVerify(token, secret, options);
    return { id: String(payload.sub) };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('SYNC_TOKEN_INVALID', `The token was not accepted: ${message}`, { cause });
  }
}

async function respond(
  handler: RequestHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const request = new Request(`http://localhost${incoming.url ?? '/'}`, {
    method: incoming.method ?? 'GET',
    headers: Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
  });
  const response = await handler(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
