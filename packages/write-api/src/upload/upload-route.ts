import { AppError, type Logger } from '@sluice/base';
import type { WriteApiLimits } from '../config/write-api-config.ts';
import { answer } from '../http/answer.ts';
import { readJsonBody } from '../http/read-body.ts';
import type { Route } from '../http/route.ts';
import type { Caller, RowValues } from '../pipeline/row-write.ts';
import type { ApplyWrites } from '../pipeline/write-core.ts';
import type { WriteOutcome } from '../pipeline/write-store.ts';
import {
  clientTransactions,
  parseUpload,
  type UploadItem,
  type UploadRequest,
} from './upload-request.ts';

/** What an upload came to, for metrics. */
export interface UploadFacts {
  readonly durationMs: number;
  /** Entries by what became of them. */
  readonly entries: Readonly<Record<'ok' | 'duplicate' | 'rejected' | 'conflict', number>>;
}

export interface UploadRouteOptions {
  readonly authenticate: (request: Request) => Promise<Caller>;
  readonly apply: ApplyWrites;
  readonly limits: Pick<WriteApiLimits, 'maxEntries' | 'maxBodyBytes'>;
  readonly now: () => number;
  readonly onUpload: (facts: UploadFacts) => void;
  readonly logger: Logger;
}

/**
 * `POST /upload`: applies a client's local writes to the database before it answers, so that the write
 * checkpoint which the client asks for next covers them (spec/client.md 6).
 *
 * 200 `{results: [{seq, status, code?, message?, …}]}` in the order of the entries; the number is called
 * `op_id` where the list is `batch` or `crud`. A write that can never succeed is reported there and
 * does not block the queue. 503 with Retry-After on a temporary fault: the client sends all of it again.
 * 401, 413, 415 and 400 when the request as a whole cannot be taken.
 */
export function uploadRoute(options: UploadRouteOptions): Route {
  const { authenticate, apply, limits, now, onUpload, logger } = options;
  return {
    method: 'POST',
    path: '/upload',
    async handle(request) {
      const startedAtMs = now();
      const caller = await authenticate(request);
      const upload = await readUpload(request, caller, limits);
      const transactions = clientTransactions(upload.items);
      const outcomes = await apply(transactions, { ...caller, clientId: upload.clientId });
      logRefusals(logger, upload.items, outcomes);
      onUpload({ durationMs: now() - startedAtMs, entries: countOutcomes(outcomes) });
      return answer(200, { results: results(upload, outcomes) });
    },
  };
}

async function readUpload(
  request: Request,
  caller: Caller,
  limits: UploadRouteOptions['limits'],
): Promise<UploadRequest> {
  const body = await readJsonBody(request, limits.maxBodyBytes);
  const clientId = request.headers.get('x-client-id') ?? undefined;
  const upload = parseUpload(body, { userId: caller.userId, clientId });
  if (upload === undefined) {
    throw new AppError('UPLOAD_INVALID', 'The body has no list named batch, crud or entries');
  }
  if (upload.items.length > limits.maxEntries) {
    const message = `The upload has ${upload.items.length} entries, more than ${limits.maxEntries}`;
    throw new AppError('API_BODY_TOO_LARGE', message, { remedy: 'Upload fewer at a time' });
  }
  return upload;
}

function results({ items, numberName }: UploadRequest, outcomes: readonly WriteOutcome[]) {
  return outcomes.map((outcome, at) => ({
    [numberName]: items[at]?.number ?? null,
    ...resultOf(outcome),
  }));
}

/**
 * An entry that was applied before is a `duplicate`; one that was refused before is refused again,
 * marked as a duplicate, so that whoever reads the status does the same both times.
 */
function resultOf(outcome: WriteOutcome): Readonly<Record<string, unknown>> {
  if (outcome.status === 'ok') return { status: outcome.isRepeated ? 'duplicate' : 'ok' };
  const { status, code, message, sqlState, row, isRepeated } = outcome;
  return {
    status,
    code,
    message,
    ...(sqlState ? { sqlstate: sqlState } : {}),
    ...(row ? { row: rowJson(row) } : {}),
    ...(isRepeated ? { duplicate: true } : {}),
  };
}

/** Integers beyond 2^53 as text, bytes as base64. */
export function rowJson(row: RowValues): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...row].map(([name, value]) => {
      if (value instanceof Uint8Array) return [name, Buffer.from(value).toString('base64')];
      if (typeof value !== 'bigint') return [name, value];
      const number = Number(value);
      return [name, Number.isSafeInteger(number) ? number : String(value)];
    }),
  );
}

function countOutcomes(outcomes: readonly WriteOutcome[]): UploadFacts['entries'] {
  const counts = { ok: 0, duplicate: 0, rejected: 0, conflict: 0 };
  for (const { status, isRepeated } of outcomes) counts[isRepeated ? 'duplicate' : status] += 1;
  return counts;
}

function logRefusals(
  logger: Logger,
  items: readonly UploadItem[],
  outcomes: readonly WriteOutcome[],
): void {
  outcomes.forEach((outcome, at) => {
    if (outcome.status === 'ok' || outcome.isRepeated) return;
    const { code, sqlState } = outcome;
    const write = items[at]?.write;
    const entry = write ? { op: write.op, table: write.table } : {};
    logger.warn('upload_entry_rejected', { code, sqlState, ...entry });
  });
}
