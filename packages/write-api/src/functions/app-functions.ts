import { AppError, assert, type Logger } from '@sluice/base';
import type { WriteStore } from '../pipeline/write-store.ts';
import { Rejection } from '../rejection.ts';
import type { Caller, RowWrite, StoredRow } from '../pipeline/row-write.ts';
import type {
  AfterWrite,
  StepBundle,
  TransactionStep,
  WriteTransaction,
} from '../pipeline/table-steps.ts';
import { bundleFunctions, type FunctionBundle } from './bundle-functions.ts';
import { EndpointDatabase, HookDatabase, type CallDatabase } from './call-database.ts';
import { DEFAULT_FUNCTION_LIMITS, type FunctionLimits } from './function-limits.ts';
import { FunctionFailure, FunctionWorker, type CallOutcome } from './function-worker.ts';
import type {
  CallInput,
  CallValue,
  EndpointEntry,
  FunctionEntry,
  FunctionManifest,
  HookName,
  TableEntry,
  WireResponse,
} from './messages.ts';
import { WorkerPool } from './worker-pool.ts';

export interface FunctionsOptions {
  /** With the app's files, absolute. */
  readonly folder: string;
  readonly logger: Logger;
  readonly limits?: Partial<FunctionLimits> | undefined;
}

/** What a table's functions do at a write; undefined parts cost nothing. */
export interface TableHooks {
  readonly before: StepBundle | undefined;
  readonly after: AfterWrite | undefined;
}

/**
 * The app's functions: loaded, kept in worker threads, and called. Hooks, conflict functions and
 * sign-ins have threads of their own, so that slow endpoints do not hold up uploads.
 */
export class AppFunctions implements AsyncDisposable {
  readonly #options: FunctionsOptions;
  readonly #limits: FunctionLimits;
  readonly #hooks: WorkerPool;
  readonly #endpoints: WorkerPool;
  #bundle: FunctionBundle;
  #manifest: FunctionManifest;

  private constructor(
    options: FunctionsOptions,
    limits: FunctionLimits,
    bundle: FunctionBundle,
    worker: FunctionWorker,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#bundle = bundle;
    this.#manifest = worker.manifest;
    this.#hooks = new WorkerPool(
      bundle,
      { ...limits, maxWorkers: limits.hookWorkers },
      options.logger,
    );
    const endpointLimits = { ...limits, maxWorkers: limits.endpointWorkers };
    this.#endpoints = new WorkerPool(bundle, endpointLimits, options.logger);
    this.#hooks.adopt(worker);
  }

  /**
   * Loads a folder of functions.
   *
   * @throws ConfigError `FUNCTION_INVALID` with file and line.
   */
  static async open(options: FunctionsOptions): Promise<AppFunctions> {
    const limits = { ...DEFAULT_FUNCTION_LIMITS, ...options.limits };
    const bundle = await bundleFunctions(options.folder);
    const worker = await FunctionWorker.start(bundle, limits, options.logger);
    return new AppFunctions(options, limits, bundle, worker);
  }

  get manifest(): FunctionManifest {
    return this.#manifest;
  }

  /** The app's files that were read: what to watch. */
  get inputs(): readonly string[] {
    return this.#bundle.inputs;
  }

  /** Threads that run or start, for tests and metrics. */
  get workerCount(): number {
    return this.#hooks.workerCount + this.#endpoints.workerCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hooks[Symbol.asyncDispose](), this.#endpoints[Symbol.asyncDispose]()]);
  }

  /**
   * Reads the folder again. New calls run what it has now; those that run end as they began.
   *
   * @throws ConfigError `FUNCTION_INVALID`; then everything serves on as before.
   */
  async reload(): Promise<void> {
    const bundle = await bundleFunctions(this.#options.folder);
    const worker = await FunctionWorker.start(bundle, this.#limits, this.#options.logger);
    this.#bundle = bundle;
    this.#manifest = worker.manifest;
    this.#hooks.replace(bundle);
    this.#endpoints.replace(bundle);
    this.#hooks.adopt(worker);
  }

  /** Undefined for a table without functions around its writes. */
  tableHooks(table: string): TableHooks | undefined {
    const entry = this.#manifest.tables.find((candidate) => candidate.table === table);
    if (entry === undefined || !(entry.beforeWrite || entry.afterWrite)) return undefined;
    const isTable = (candidate: TableEntry) => candidate.table === table;
    const before: TransactionStep = async (write, stored, caller, transaction) =>
      this.#step({ hook: 'beforeWrite', isIt: isTable, write, stored, caller, transaction });
    const after: AfterWrite = async ({ write, stored }, caller, transaction) => {
      await this.#hook({ hook: 'afterWrite', isIt: isTable, write, stored, caller, transaction });
    };
    return {
      before: entry.beforeWrite ? { steps: [before], needsStored: () => true } : undefined,
      after: entry.afterWrite ? after : undefined,
    };
  }

  /**
   * Asks `resolveConflict` of the table functions of that name (of the file, or the table). Undefined
   * when there are none.
   */
  conflictResolver(name: string): ConflictResolver | undefined {
    const isIt = (entry: TableEntry) =>
      entry.resolveConflict && (entry.name === name || entry.table === name);
    if (!this.#manifest.tables.some(isIt)) return undefined;
    return {
      resolve: async (conflict) => this.#step({ hook: 'resolveConflict', isIt, ...conflict }),
    };
  }

  /**
   * Asks a sign-in function whose session a request shows.
   *
   * @throws AppError `FUNCTION_…`, `DATA_UNAVAILABLE`; FunctionRefusal when the function refuses.
   */
  async signIn(
    name: string,
    { url, headers, parameters }: SignInRequest,
    store?: WriteStore,
  ): Promise<SignedInUser | undefined> {
    const request = {
      method: 'POST',
      url: url.href,
      headers: [...headers].filter(([header]) => !BODY_HEADERS.has(header)),
      body: new TextEncoder().encode(JSON.stringify(parameters)),
    };
    await using database = new EndpointDatabase(store, undefined);
    const call = { kind: 'sign_in', request } as const;
    const limits = { timeoutMs: this.#limits.hookTimeoutMs };
    const value = await this.#hooks
      .with(async (worker) => {
        const entry = worker.manifest.signIns.find((candidate) => candidate.name === name);
        if (entry === undefined) {
          throw new AppError('FUNCTION_INVALID', `There is no sign-in function ${name}`);
        }
        return (await this.#call(worker, entry, call, database, limits)).outcome.value;
      })
      .catch((error: unknown) => {
        throw callError(error, store);
      });
    if (value.kind === 'nobody') return undefined;
    assert(value.kind === 'signed_in', 'a sign-in gives a user or nobody');
    return { userId: value.userId, claims: value.claims };
  }

  hasSignIn(name: string): boolean {
    return this.#manifest.signIns.some((candidate) => candidate.name === name);
  }

  /** @throws AppError `FUNCTION_…`; FunctionRefusal when the function refuses. */
  async callEndpoint(
    entry: EndpointEntry,
    input: Omit<Extract<CallInput, { kind: 'endpoint' }>, 'kind'>,
    { store, signal }: { readonly store: WriteStore | undefined; readonly signal: AbortSignal },
  ): Promise<WireResponse> {
    await using database = new EndpointDatabase(store, input.caller);
    const value = await this.#endpoints
      .with(async (worker) => {
        const current = worker.manifest.endpoints.find(
          ({ method, path }) => method === entry.method && path.join('/') === entry.path.join('/'),
        );
        if (current === undefined) {
          throw new AppError('API_ROUTE_MISSING', `There is no function ${entry.name} any more`);
        }
        const limits = { timeoutMs: this.#limits.endpointTimeoutMs, signal };
        const call = { kind: 'endpoint', ...input } as const;
        return (await this.#call(worker, current, call, database, limits)).outcome.value;
      })
      .catch((error: unknown) => {
        throw callError(error, store);
      });
    assert(value.kind === 'response', 'an endpoint gives a response');
    return value.response;
  }

  async #step(input: HookInput): Promise<RowWrite | undefined> {
    const value = await this.#hook(input);
    if (value.kind === 'skip') return undefined;
    return value.kind === 'write' ? { ...input.write, values: value.values } : input.write;
  }

  /** @throws Rejection when the function refuses or fails; the database's error; AppError to try again. */
  async #hook(input: HookInput): Promise<CallValue> {
    const { hook, isIt, write, stored, caller, transaction } = input;
    const database = new HookDatabase(transaction);
    try {
      return await this.#hooks.with(async (worker) => {
        const entry = worker.manifest.tables.find(isIt);
        if (!entry?.[hook]) return { kind: 'done' }; // reloaded in between
        const call = { kind: 'hook', hook, write, stored, caller } as const;
        const limits = { timeoutMs: this.#limits.hookTimeoutMs };
        const { id, outcome } = await this.#call(worker, entry, call, database, limits);
        if (outcome.afterCommits > 0) this.#runAfterCommit(worker, entry, id, transaction);
        return outcome.value;
      });
    } catch (error) {
      throw this.#hookError(error, `${write.table}.${hook}`);
    }
  }

  /** What can only fail again is a rejection, so that it does not hold up what comes behind. */
  #hookError(error: unknown, name: string): unknown {
    if (error instanceof FunctionRefusal) {
      return new Rejection('FUNCTION_REJECTED', error.message, {
        reason: error.reason,
        cause: error,
      });
    }
    if (!(error instanceof AppError) || error.retryable) return error;
    const message =
      error.code === 'FUNCTION_FAILED'
        ? `The function ${name} failed: ${error.message}`
        : error.message;
    return new Rejection(error.code, message, { cause: error });
  }

  /** Once the transaction has ended: runs what the function left for then, in its own thread. */
  #runAfterCommit(
    worker: FunctionWorker,
    entry: FunctionEntry,
    callId: number,
    transaction: WriteTransaction,
  ): void {
    this.#hooks.hold(worker);
    const run = async (isCommitted: boolean): Promise<void> => {
      try {
        if (!isCommitted) {
          worker.forget(callId);
          return;
        }
        const input = { kind: 'after_commit', callId } as const;
        const limits = { timeoutMs: this.#limits.endpointTimeoutMs };
        await using database = new EndpointDatabase(undefined, undefined);
        const call = () => this.#call(worker, { ...entry, index: -1 }, input, database, limits);
        await this.#hooks.with(call, worker);
      } catch (error) {
        const code = error instanceof AppError ? error.code : 'FUNCTION_FAILED';
        const message = error instanceof Error ? error.message : String(error);
        const facts = { code, function: entry.name, message };
        this.#options.logger.error('function_after_commit_failed', facts);
      } finally {
        this.#hooks.letGo(worker);
      }
    };
    transaction.onEnd((isCommitted) => void run(isCommitted));
  }

  async #call(
    worker: FunctionWorker,
    entry: FunctionEntry,
    input: CallInput,
    database: CallDatabase,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly id: number; readonly outcome: CallOutcome }> {
    try {
      return await worker.call({
        index: entry.index,
        name: entry.name,
        input,
        ...limits,
        onRequest: (message) => database.answer(message),
      });
    } catch (error) {
      if (!(error instanceof FunctionFailure)) throw error;
      throw this.#thrownError(error, entry, database);
    }
  }

  #thrownError(
    { failure }: FunctionFailure,
    entry: FunctionEntry,
    database: CallDatabase,
  ): unknown {
    if (failure.kind === 'reject') return new FunctionRefusal(failure);
    if (failure.kind === 'database') return database.errorOf(failure.requestId);
    const { message, stack } = failure;
    this.#options.logger.error('function_threw', { function: entry.name, message, stack });
    return new AppError('FUNCTION_FAILED', message);
  }
}

/** What the database said to a statement of an endpoint or a sign-in is no answer for its caller. */
function callError(error: unknown, store: WriteStore | undefined): AppError {
  if (error instanceof AppError) return error;
  const cause = { cause: error };
  const refusal = store?.refusalOf(error);
  if (refusal !== undefined) return new AppError('FUNCTION_FAILED', refusal.message, cause);
  return new AppError('DATA_UNAVAILABLE', 'The database did not answer a function', cause);
}

interface HookInput {
  readonly hook: HookName;
  /** Whose hook: asked of what the worker has, which may have been loaded since. */
  readonly isIt: (entry: TableEntry) => boolean;
  readonly write: RowWrite;
  readonly stored: StoredRow;
  readonly caller: Caller;
  readonly transaction: WriteTransaction;
}

/** The app's own rule for conflicts, as `conflict/` asks it. */
export interface ConflictResolver {
  resolve(conflict: {
    readonly write: RowWrite;
    readonly stored: StoredRow;
    readonly caller: Caller;
    readonly transaction: WriteTransaction;
  }): Promise<RowWrite | undefined>;
}

/** What a request for a token says; its parameters are the body that the function gets, in JSON. */
export interface SignInRequest {
  readonly url: URL;
  readonly headers: Headers;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const BODY_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
]);

export interface SignedInUser {
  readonly userId: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The function threw a `Reject`. */
export class FunctionRefusal extends AppError {
  readonly reason: string | undefined;
  readonly #status: number;

  constructor(refusal: {
    readonly message: string;
    readonly code: string | undefined;
    readonly status: number;
  }) {
    super('FUNCTION_REJECTED', refusal.message);
    this.reason = refusal.code;
    const { status } = refusal;
    this.#status = Number.isInteger(status) && status >= 400 && status <= 599 ? status : 422;
  }

  override get httpStatus(): number {
    return this.#status;
  }
}
