import { AppError, ERROR_TABLE, type ErrorEntry, type JsonValue } from '@sluice/base';
import { answer } from '../http/answer.ts';
import { readJsonBody } from '../http/read-body.ts';
import type { Route } from '../http/route.ts';
import type { StepBundle, TransactionStep } from '../pipeline/table-steps.ts';
import type { UploadEntry } from '../pipeline/upload-entry.ts';
import type { RefusedOutcome, WriteOutcome } from '../pipeline/write-store.ts';
import { Rejection } from '../rejection.ts';
import { rowJson } from '../upload/upload-route.ts';
import { assertName, type DataReader } from './data-store.ts';
import { parseWriteCondition } from './parse-url-query.ts';
import { queryProblem, shown } from './query-problem.ts';
import { idColumn, idStatement } from './query-sql.ts';
import { idIs } from './read-routes.ts';
import type { Condition } from './row-query.ts';
import type { DataCaller } from './service-tokens.ts';
import {
  deleteEntries,
  insertEntries,
  MAX_WRITES,
  updateEntries,
  type RequestKey,
} from './write-request.ts';

/** Applies the writes of a request, in order, in one transaction: an outcome for each. */
export type ApplyData = (
  entries: readonly UploadEntry[],
  who: DataCaller,
  options: {
    /** Comes before all other steps of each write. */
    readonly guard: StepBundle | undefined;
    /** Whether one refused write refuses all. */
    readonly isAtomic: boolean;
  },
) => Promise<readonly WriteOutcome[]>;

export interface WriteRoutesOptions {
  readonly reader: DataReader;
  readonly apply: ApplyData;
  readonly authenticate: (request: Request) => Promise<DataCaller>;
  readonly maxBodyBytes: number;
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/**
 * `POST /data/:table` (one row or a list), `PATCH` and `DELETE` of `/data/:table/:id` or, with a
 * condition, of `/data/:table`. The writes go through hooks and rules as uploads do.
 *
 * For one row: 200 or 201 `{id, status}`, or the status of what refused it. For several: 200
 * `{results: [{id, status, code?, message?}]}`; those that were not refused are done, unless
 * `?atomic=true`.
 */
export function writeRoutes(options: WriteRoutesOptions): readonly Route[] {
  const writer = new DataWriter(options);
  return [
    {
      method: 'POST',
      path: '/data/:table',
      handle: (request, { table = '' }) => writer.insert(request, table),
    },
    {
      method: 'PATCH',
      path: '/data/:table/:id',
      handle: (request, { table = '', id = '' }) => writer.changeOne(request, 'update', table, id),
    },
    {
      method: 'DELETE',
      path: '/data/:table/:id',
      handle: (request, { table = '', id = '' }) => writer.changeOne(request, 'delete', table, id),
    },
    {
      method: 'PATCH',
      path: '/data/:table',
      handle: (request, { table = '' }) => writer.changeMany(request, 'update', table),
    },
    {
      method: 'DELETE',
      path: '/data/:table',
      handle: (request, { table = '' }) => writer.changeMany(request, 'delete', table),
    },
  ];
}

type Change = 'update' | 'delete';

class DataWriter {
  readonly #options: WriteRoutesOptions;

  constructor(options: WriteRoutesOptions) {
    this.#options = options;
  }

  async insert(request: Request, table: string): Promise<Response> {
    const who = await this.#options.authenticate(request);
    assertName(table);
    const params = new URL(request.url).searchParams;
    const onConflict = choice(params, 'on_conflict', ['error', 'ignore', 'update']) ?? 'error';
    const body = await this.#body(request);
    const entries = insertEntries(table, body, requestKey(request, who));
    const guard = onConflict === 'update' ? undefined : whenThere(onConflict);
    const outcomes = await this.#options.apply(entries, who, { guard, isAtomic: isAtomic(params) });
    if (Array.isArray(body)) return manyAnswer(entries, outcomes);
    return oneAnswer(201, entries[0]?.write?.id ?? '', outcomes[0]);
  }

  async changeOne(request: Request, change: Change, table: string, id: string): Promise<Response> {
    const who = await this.#options.authenticate(request);
    assertName(table);
    const { reader } = this.#options;
    const body = change === 'update' ? await this.#body(request) : null;
    if (reader.mayRead(table, who)) await this.#assertThere(table, id, who);
    const entries = changeEntries(change, table, [id], body, requestKey(request, who));
    const outcomes = await this.#options.apply(entries, who, { guard: undefined, isAtomic: false });
    return oneAnswer(200, id, outcomes[0]);
  }

  /** The rows that fit when it begins, as far as the caller may see them. */
  async changeMany(request: Request, change: Change, table: string): Promise<Response> {
    const who = await this.#options.authenticate(request);
    assertName(table);
    const params = new URL(request.url).searchParams;
    const where = parseWriteCondition(params);
    if (where.kind === 'and' && where.parts.length === 0) {
      throw queryProblem(`To ${change} rows, say which: a condition such as id=eq.5 is missing`);
    }
    const body = change === 'update' ? await this.#body(request) : null;
    const ids = await this.#idsOf(table, where, who);
    const entries = changeEntries(change, table, ids, body, requestKey(request, who));
    const options = { guard: undefined, isAtomic: isAtomic(params) };
    return manyAnswer(entries, await this.#options.apply(entries, who, options));
  }

  async #assertThere(table: string, id: string, who: DataCaller): Promise<void> {
    const found = await this.#options.reader.read(table, who, (definition, filter) =>
      idStatement(idIs(idColumn(definition).name, id), definition, filter, 1),
    );
    if (found.length > 0) return;
    throw new AppError('DATA_ROW_MISSING', `There is no row ${shown(id)} in ${table}`);
  }

  async #idsOf(table: string, where: Condition, who: DataCaller): Promise<readonly string[]> {
    const rows = await this.#options.reader.read(table, who, (definition, filter) =>
      idStatement(where, definition, filter, MAX_WRITES + 1),
    );
    if (rows.length > MAX_WRITES) {
      throw queryProblem(`More than ${MAX_WRITES} rows fit; change fewer at a time`);
    }
    return rows.map(({ id }) => String(id));
  }

  async #body(request: Request): Promise<JsonValue> {
    return (await readJsonBody(request, this.#options.maxBodyBytes)) as JsonValue;
  }
}

function changeEntries(
  change: Change,
  table: string,
  ids: readonly string[],
  body: JsonValue,
  key: RequestKey | undefined,
): readonly UploadEntry[] {
  if (change === 'delete') return deleteEntries(table, ids, key);
  return updateEntries(table, ids, body, key);
}

/** An insert does not update what is there; an upload would. */
function whenThere(onConflict: 'error' | 'ignore'): StepBundle {
  const step: TransactionStep = (write, stored) => {
    if (stored === undefined) return write;
    if (onConflict === 'ignore') return undefined;
    throw new Rejection('UPLOAD_CONSTRAINT', `There is a row ${shown(write.id)} already`);
  };
  return { steps: [step], needsStored: () => true };
}

function requestKey(request: Request, { caller }: DataCaller): RequestKey | undefined {
  const key = request.headers.get('idempotency-key');
  if (key === null) return undefined;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw queryProblem('The Idempotency-Key is not 1 to 200 visible characters');
  }
  return { userId: caller.userId, key };
}

function isAtomic(params: URLSearchParams): boolean {
  return choice(params, 'atomic', ['true', 'false']) === 'true';
}

function choice<T extends string>(
  params: URLSearchParams,
  name: string,
  values: readonly T[],
): T | undefined {
  const text = params.get(name);
  const value = values.find((candidate) => candidate === text);
  if (text === null || value !== undefined) return value;
  throw queryProblem(`${name} is ${shown(text)}, not one of ${values.join(', ')}`);
}

function oneAnswer(status: number, id: string, outcome: WriteOutcome | undefined): Response {
  if (outcome === undefined) throw new AppError('INTERNAL_BUG', 'A write has no outcome');
  if (outcome.status === 'ok') {
    return answer(status, { id, status: outcome.isRepeated ? 'duplicate' : 'ok' });
  }
  const table: Readonly<Record<string, ErrorEntry>> = ERROR_TABLE;
  // The app's own codes are not in the table. A failed function is no reason to try again.
  const known = Object.hasOwn(table, outcome.code) ? table[outcome.code]?.httpStatus : undefined;
  const httpStatus = known === undefined || known >= 500 ? 422 : known;
  const error = { ...refusal(outcome), status: httpStatus, description: outcome.message };
  return answer(httpStatus, { error });
}

function manyAnswer(entries: readonly UploadEntry[], outcomes: readonly WriteOutcome[]): Response {
  const results = outcomes.map((outcome, at) => {
    const id = entries[at]?.write?.id ?? null;
    if (outcome.status === 'ok') return { id, status: outcome.isRepeated ? 'duplicate' : 'ok' };
    const { status, message } = outcome;
    return { id, status, message, ...refusal(outcome) };
  });
  return answer(200, { results });
}

function refusal(outcome: RefusedOutcome): Readonly<Record<string, unknown>> {
  const { code, sqlState, row } = outcome;
  return {
    code,
    ...(sqlState ? { sqlstate: sqlState } : {}),
    ...(row ? { row: rowJson(row) } : {}),
  };
}
