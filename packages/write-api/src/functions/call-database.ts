import { AppError } from '@sluice/base';
import type { Caller } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';
import type { StoreTransaction, WriteStore } from '../pipeline/write-store.ts';
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
    if (request.kind !== 'query') throw failed('The transaction of a write is not its to end');
    refuseControl(request.sql);
    const { rows, rowCount } = await this.#transaction.query(request.sql, request.parameters);
    return rowsAnswer(rows, rowCount);
  }
}

/** Who a public endpoint is called by, to the database. */
const NOBODY: Caller = { userId: '', claims: {}, clientId: undefined };

/** An endpoint opens transactions of its own, one at a time. Dispose it when the call has ended. */
export class EndpointDatabase extends CallDatabase implements AsyncDisposable {
  readonly #store: WriteStore | undefined;
  readonly #caller: Caller;
  #open: StoreTransaction | undefined;
  /** Nothing but undoing helps a transaction in which a statement failed. */
  #isBroken = false;
  #isEnded = false;

  /**
   * @param store Undefined: the function has no database.
   * @param caller Undefined: nobody.
   */
  constructor(store: WriteStore | undefined, caller: Caller | undefined) {
    super();
    this.#store = store;
    this.#caller = caller ?? NOBODY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#close();
  }

  protected override async perform(request: DatabaseRequest): Promise<DatabaseAnswer> {
    if (request.kind === 'begin') {
      await this.#beginOne();
      return NOTHING;
    }
    const open = this.#open;
    if (open === undefined) throw failed('The transaction has ended');
    if (request.kind === 'query') return this.#query(open, request);
    try {
      if (request.kind === 'commit') await this.#commit(open);
    } finally {
      await this.#close();
    }
    return NOTHING;
  }

  async #beginOne(): Promise<void> {
    if (this.#store === undefined) throw failed('There is no database here');
    if (this.#open !== undefined) throw failed('A transaction is open already');
    const open = await this.#store.begin(this.#caller, new Set());
    this.#open = open;
    this.#isBroken = false;
    if (!this.#isEnded) return;
    await this.#close(); // the call did not wait for it
    throw failed('The call has ended');
  }

  async #query(
    open: StoreTransaction,
    { sql, parameters }: Extract<DatabaseRequest, { kind: 'query' }>,
  ): Promise<DatabaseAnswer> {
    refuseControl(sql);
    try {
      const { rows, rowCount } = await open.query(sql, parameters);
      return rowsAnswer(rows, rowCount);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  async #commit(open: StoreTransaction): Promise<void> {
    if (this.#isBroken)
      throw failed('Nothing was committed: a statement of the transaction failed');
    await open.commit({ outcomes: new Map(), rejected: [] });
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.[Symbol.asyncDispose]();
  }
}

function refuseControl(sql: string): void {
  if (!TRANSACTION_CONTROL.test(sql)) return;
  throw failed('Functions do not begin, commit or undo transactions by SQL');
}

function failed(message: string): AppError {
  return new AppError('FUNCTION_FAILED', message);
}

function rowsAnswer(
  rows: readonly Readonly<Record<string, unknown>>[],
  rowCount: number,
): DatabaseAnswer {
  if (rows.length > MAX_ROWS) throw failed(`The statement gives more than ${MAX_ROWS} rows`);
  return { kind: 'rows', rows, rowCount };
}

function shownError(error: unknown): DatabaseAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const { code, constraint } = (error ?? {}) as { code?: unknown; constraint?: unknown };
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { kind: 'error', message, code: text(code), constraint: text(constraint) };
}
