import {
  AppError,
  ConfigError,
  parseExactJson,
  silentLogger,
  systemClock,
  toAppError,
  type Clock,
  type Logger,
} from '@sluice/base';
import { applyUpload, type ItemOutcome } from './apply-upload.ts';
import type { UploadDatabase } from './upload-database.ts';
import { parseUpload, type UploadItem } from './upload-request.ts';

export interface UploadUser {
  readonly id: string;
}

export interface UploadHandlerOptions {
  readonly database: UploadDatabase;
  /** Rejects with an `AppError` of status 401 when the request names no valid user. */
  readonly authenticate: (request: Request) => Promise<UploadUser>;
  /** Tables that may be changed; absent: every table of `schema`. */
  readonly tables?: readonly string[] | undefined;
  /** Default `public`. A system schema is refused. */
  readonly schema?: string | undefined;
  readonly logger?: Logger | undefined;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** For each statement; default 30 s. */
  readonly statementTimeoutMs?: number | undefined;
  /** For the waits before an upload that met a deadlock is applied again. */
  readonly clock?: Clock | undefined;
  /** A value in [0, 1); default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export type RequestHandler = (request: Request) => Promise<Response>;

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'Content-Type, Authorization, User-Agent, X-User-Agent',
  'access-control-max-age': '3600',
};

/**
 * Answers `POST /upload`: applies a client's local writes to the database before it answers, so that
 * the write checkpoint which the client asks for next covers them (spec/client.md 6).
 *
 * 200 `{results: [{op_id, status: 'ok' | 'rejected', code?, message?, sqlstate?}]}` in the order of
 * the entries: a write that can never succeed is reported there and does not block the queue.
 * 503 with Retry-After on a temporary fault; then nothing was applied and the client sends it again.
 * 401, 413 and 400 when the request as a whole cannot be taken.
 */
export function createUploadHandler(options: UploadHandlerOptions): RequestHandler {
  const schema = options.schema ?? 'public';
  if (schema.startsWith('pg_') || schema === 'information_schema') {
    throw new ConfigError('CONFIG_INVALID_VALUE', `Uploads may not change the schema ${schema}`);
  }
  const logger = options.logger ?? silentLogger;
  return async (request) => {
    try {
      if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: CORS });
      checkRoute(request);
      const user = await options.authenticate(request);
      const items = await readItems(request, options.maxBodyBytes ?? 1024 * 1024);
      const outcomes = await applyUpload(options.database, items, {
        schema,
        tables: options.tables === undefined ? undefined : new Set(options.tables),
        statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
        userId: user.id,
        clock: options.clock ?? systemClock,
        random: options.random ?? Math.random,
      });
      logRejections(logger, items, outcomes);
      return answer(200, {
        results: outcomes.map((outcome, index) => result(items[index], outcome)),
      });
    } catch (error) {
      return errorAnswer(toAppError(error), logger);
    }
  };
}

function checkRoute(request: Request): void {
  const { pathname } = new URL(request.url);
  if (request.method === 'POST' && pathname === '/upload') return;
  throw new AppError('API_ROUTE_MISSING', `No route ${request.method} ${pathname}`, {
    remedy: 'Send POST /upload',
  });
}

async function readItems(request: Request, maxBytes: number): Promise<readonly UploadItem[]> {
  const text = await readBody(request, maxBytes);
  let body: unknown;
  try {
    body = parseExactJson(text);
  } catch (cause) {
    throw new AppError('UPLOAD_INVALID', 'The body is not valid JSON', { cause });
  }
  const items = parseUpload(body);
  if (items === undefined) {
    throw new AppError('UPLOAD_INVALID', 'The body has no list named batch, crud or entries');
  }
  return items;
}

async function readBody(request: Request, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const part of request.body ?? []) {
    const bytes = part as Uint8Array;
    byteLength += bytes.byteLength;
    if (byteLength > maxBytes) {
      throw new AppError('API_BODY_TOO_LARGE', `The upload is larger than ${maxBytes} bytes`, {
        remedy: 'Upload fewer entries at a time',
      });
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

function result(item: UploadItem | undefined, outcome: ItemOutcome) {
  const opId = item?.opId ?? null;
  if (outcome.status === 'ok') return { op_id: opId, status: outcome.status };
  const { status, code, message, sqlState } = outcome;
  return { op_id: opId, status, code, message, ...(sqlState ? { sqlstate: sqlState } : {}) };
}

function logRejections(
  logger: Logger,
  items: readonly UploadItem[],
  outcomes: readonly ItemOutcome[],
): void {
  outcomes.forEach((outcome, index) => {
    if (outcome.status !== 'rejected') return;
    const content = items[index]?.content;
    const entry = typeof content === 'object' ? { op: content.op, table: content.table } : {};
    logger.warn('upload_entry_rejected', {
      code: outcome.code,
      sqlState: outcome.sqlState,
      ...entry,
    });
  });
}

function errorAnswer(error: AppError, logger: Logger): Response {
  const status = error.httpStatus;
  if (status >= 500) logger.error('upload_failed', { code: error.code, message: error.message });
  const description = status >= 500 && !error.retryable ? 'Internal error' : error.message;
  const body = { error: { code: error.code, status, description, details: error.remedy } };
  return answer(status, body, error.retryable ? { 'retry-after': '2' } : {});
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...CORS, 'content-type': 'application/json', ...headers },
  });
}
