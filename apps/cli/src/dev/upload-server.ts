import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { KeySource } from '@sluice/auth';
import { systemClock, toAppError, type Logger } from '@sluice/base';
import {
  createWriteApi,
  tokenAuthenticator,
  writeApiConfig,
  type RequestHandler,
} from '@sluice/write-api';
import pg from 'pg';

export interface UploadServerOptions {
  readonly databaseUrl: string;
  readonly keys: KeySource;
  /** Accepted of keys that have none of their own. */
  readonly audience: readonly string[];
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
  const { keys, audience } = options;
  const authenticate = tokenAuthenticator({ keys, audience, clock: systemClock });
  const handlerFor = (tables: readonly string[] | undefined): RequestHandler =>
    createWriteApi({
      database: pool,
      authenticate,
      config: writeApiConfig(
        tables === undefined
          ? {}
          : { tables: Object.fromEntries(tables.map((name) => [name, {}])) },
      ),
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
