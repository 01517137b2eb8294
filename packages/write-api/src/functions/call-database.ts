import type { UploadConnection, UploadDatabase } from '../upload-database.ts';
import { sqlStateOf } from '../rejection.ts';
import type { Caller } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';
import type { DatabaseAnswer, DatabaseRequest, FromWorker, ToWorker } from './messages.ts';

/** More rows than a function can want in one piece; they cross to its thread as one message. */
const MAX_ROWS = 10_000;

/** Ends a transaction behind its owner's back, or opens one inside. */
const TRANSACTION_CONTROL =
  /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i;

const NOTHING: DatabaseAnswer = { kind: 'rows', rows: [], rowCount: 0 };

/** What the calls of functions may do in the database, and what came of it. */
export abstract class CallDatabase {
  /** By request: what the database said, in its own words. */
  readonly #errors = new Map<number, unknown>();

  /** Never rejects: a function gets to see the error. */
  async answer({
    requestId,
    request,
  }: Extract<FromWorker, { kind: 'request' }>): Promise<ToWorker> {
    try {
      return { kind: 'answer', requestId, answer: await this.perform(request) };
    } catch (error) {
      this.#errors.set(requestId, error);
      return { kind: 'answer', requestId, answer: shownError(error) };
    }
  }

  /** The error of that request, as the driver gave it. */
  errorOf(requestId: number): unknown {
    return this.#errors.get(requestId);
  }

  protected abstract perform(request: DatabaseRequest): Promise<DatabaseAnswer>;
}

/** A hook is inside a transaction that the pipeline opened and ends. */
export class HookDatabase extends CallDatabase {
  readonly #transaction: WriteTransaction;

  constructor(transaction: WriteTransaction) {
    super();
    this.#transaction = transaction;
  }

  protected override async perform(request: DatabaseRequest): Promise<DatabaseAnswer> {
    if (request.kind !== 'query') throw new Error('The transaction of a write is not its to end');
    refuseControl(request.sql);
    const { rows, rowCount } = await this.#transaction.query(request.sql, request.parameters);
    return rowsAnswer(rows, rowCount);
  }
}

export interface EndpointDatabaseOptions {
  /** Undefined: functions have none. */
  readonly database: UploadDatabase | undefined;
  readonly caller: Caller | undefined;
  readonly statementTimeoutMs: number;
}

/** An endpoint opens transactions of its own, one at a time. Dispose it when the call has ended. */
export class EndpointDatabase extends CallDatabase implements Disposable {
  readonly #options: EndpointDatabaseOptions;
  #connection: UploadConnection | undefined;
  #isEnded = false;

  constructor(options: EndpointDatabaseOptions) {
    super();
    this.#options = options;
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#giveBack(false); // closing it also undoes what was begun
  }

  protected override async perform(request: DatabaseRequest): Promise<DatabaseAnswer> {
    if (request.kind === 'begin') return this.#begin();
    const connection = this.#connection;
    if (connection === undefined) throw new Error('The transaction has ended');
    if (request.kind === 'query') {
      refuseControl(request.sql);
      const { rows, rowCount } = await connection.query(request.sql, [...request.parameters]);
      return rowsAnswer(rows, rowCount ?? 0);
    }
    await this.#end(connection, request.kind);
    return NOTHING;
  }

  async #begin(): Promise<DatabaseAnswer> {
    const { database, caller, statementTimeoutMs } = this.#options;
    if (database === undefined) throw new Error('There is no database for functions');
    if (this.#connection !== undefined) throw new Error('A transaction is open already');
    const connection = await database.connect();
    if (this.#isEnded) {
      connection.release(false); // the call did not wait for it
      throw new Error('The call has ended');
    }
    this.#connection = connection;
    await connection.query('BEGIN');
    await connection.query(
      `SELECT set_config('sluice.user_id', $1, true), set_config('request.jwt.claims', $2, true),
              set_config('statement_timeout', $3, true)`,
      [caller?.userId ?? '', JSON.stringify(caller?.claims ?? {}), String(statementTimeoutMs)],
    );
    return NOTHING;
  }

  async #end(connection: UploadConnection, kind: 'commit' | 'rollback'): Promise<void> {
    let isClean = false;
    try {
      const { command } = (await connection.query(kind)) as { readonly command?: string };
      isClean = true;
      // PostgreSQL answers COMMIT of a transaction in which a statement failed with ROLLBACK.
      if (kind === 'commit' && command === 'ROLLBACK') {
        throw new Error('Nothing was committed: a statement of the transaction failed');
      }
    } finally {
      this.#giveBack(isClean);
    }
  }

  #giveBack(isClean: boolean): void {
    this.#connection?.release(!isClean);
    this.#connection = undefined;
  }
}

function refuseControl(sql: string): void {
  if (!TRANSACTION_CONTROL.test(sql)) return;
  throw new Error('Functions do not begin, commit or undo transactions by SQL');
}

function rowsAnswer(
  rows: readonly Readonly<Record<string, unknown>>[],
  rowCount: number,
): DatabaseAnswer {
  if (rows.length > MAX_ROWS) throw new Error(`The statement gives more than ${MAX_ROWS} rows`);
  return { kind: 'rows', rows, rowCount };
}

function shownError(error: unknown): DatabaseAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const constraint =
    error instanceof Error && 'constraint' in error && typeof error.constraint === 'string'
      ? error.constraint
      : undefined;
  return { kind: 'error', message, code: sqlStateOf(error), constraint };
}
