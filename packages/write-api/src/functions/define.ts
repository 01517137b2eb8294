/**
 * What the app's functions are written with: `import { defineTable } from '@sluice/write-api/functions'`.
 * The bundler puts this file into what runs in the worker threads, so it imports nothing
 * (docs/backend.md, "Functions").
 */

/** A value as the clients' SQLite has it. Whole numbers come as `number` where that is exact. */
export type ColumnValue = null | string | number | bigint | Uint8Array;

/** What a function may give for a column: booleans become 0 and 1, objects and arrays JSON text. */
export type GivenValue = ColumnValue | boolean | undefined | readonly unknown[] | object;

export type GivenValues = Record<string, GivenValue>;
export type StoredValues = Readonly<Record<string, ColumnValue>>;

/** Who calls: the verified token. */
export interface FunctionCaller {
  readonly userId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Names the device's database; undefined where it did not say. */
  readonly clientId: string | undefined;
}

/** Lines in the service's log, with the name of the function. */
export interface FunctionLog {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface QueryAnswer<Row> {
  readonly rows: readonly Row[];
  /** Rows that the statement changed or gave. */
  readonly rowCount: number;
}

export interface FunctionTransaction {
  /**
   * One statement of SQL with `$1`, `$2` … in the transaction.
   *
   * @throws SqlError
   */
  query<Row = Readonly<Record<string, unknown>>>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<QueryAnswer<Row>>;
}

export interface FunctionContext {
  readonly log: FunctionLog;
  /** The global `fetch`, called off when the function's time is over. */
  readonly fetch: typeof fetch;
  /** Aborts when the function's time is over. */
  readonly signal: AbortSignal;
}

export interface HookContext extends FunctionContext {
  readonly caller: FunctionCaller;
  /** The transaction of the write: what is done in it is kept or undone with the write. */
  readonly transaction: FunctionTransaction;
  /**
   * Runs `work` once the transaction has committed. An error in it is logged and counted; it
   * changes nothing of the answer. Not run when the process or the thread ends before.
   */
  afterCommit(work: () => void | Promise<void>): void;
}

/** A write on its way. `values` may be changed in place. */
export interface HookWrite {
  readonly op: 'PUT' | 'PATCH' | 'DELETE';
  readonly table: string;
  readonly id: string;
  /** The columns to write, without the id; empty for DELETE. */
  readonly values: GivenValues;
  /** The row as it is stored, undefined if it is not there. */
  readonly old: StoredValues | undefined;
  /** What the client saw before its change, where it tracks that. */
  readonly base: StoredValues | undefined;
  readonly metadata: string | undefined;
}

/** A write that has happened. */
export interface AppliedHookWrite extends Omit<HookWrite, 'values'> {
  readonly values: StoredValues;
}

type MaybePromise<T> = T | Promise<T>;

export interface TableFunctions {
  /** Default: the name of the file. */
  readonly table?: string | undefined;
  /**
   * Before the policy looks at the write. Change `write.values`, or return other ones; return false
   * to write nothing, which the client is told as a success; throw a `Reject` to refuse.
   */
  beforeWrite?(write: HookWrite, context: HookContext): MaybePromise<GivenValues | false | void>;
  /** After the row was written, before the commit. A `Reject` undoes the write. */
  afterWrite?(write: AppliedHookWrite, context: HookContext): MaybePromise<void>;
  /**
   * With `conflict: { function: <name> }` in the config, for an update of a row that is there. The
   * same answers as of `beforeWrite`.
   */
  resolveConflict?(
    write: HookWrite,
    context: HookContext,
  ): MaybePromise<GivenValues | false | void>;
}

export interface EndpointContext extends FunctionContext {
  readonly caller: FunctionCaller;
  /** Values of the `:name` segments of `path`. */
  readonly params: Readonly<Record<string, string>>;
  /** Runs `work` in a transaction of its own: commits when it resolves, undoes when it throws. */
  transaction<T>(work: (transaction: FunctionTransaction) => Promise<T>): Promise<T>;
}

/** A `Response`, or a value to answer as JSON; undefined is an empty 204. */
export type EndpointAnswer = MaybePromise<unknown>;

interface EndpointRoute {
  /** Default: POST. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined;
  /** Under `/functions/`, e.g. `orders/:id`; default: the name of the file. */
  readonly path?: string | undefined;
}

export interface EndpointFunction extends EndpointRoute {
  readonly public?: false | undefined;
  handler(request: Request, context: EndpointContext): EndpointAnswer;
}

/** Everybody may call it, e.g. a webhook that checks a signature itself. */
export interface PublicEndpointFunction extends EndpointRoute {
  readonly public: true;
  handler(
    request: Request,
    context: Omit<EndpointContext, 'caller'> & { readonly caller: undefined },
  ): EndpointAnswer;
}

export interface SignedIn {
  /** Becomes `sub` of the token. */
  readonly userId: string;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

export interface SignInFunction {
  /** Whose session the request shows; undefined or null: nobody's, which is answered 401. */
  handler(
    request: Request,
    context: Omit<EndpointContext, 'caller' | 'params'>,
  ): MaybePromise<SignedIn | null | undefined>;
}

export type FunctionDefinition =
  | { readonly kind: 'table'; readonly functions: TableFunctions }
  | { readonly kind: 'endpoint'; readonly functions: EndpointFunction | PublicEndpointFunction }
  | { readonly kind: 'sign_in'; readonly functions: SignInFunction };

/** Functions around the writes of a table. */
export function defineTable(functions: TableFunctions): FunctionDefinition {
  return { kind: 'table', functions };
}

/** A route under `/functions/`. */
export function defineEndpoint(
  functions: EndpointFunction | PublicEndpointFunction,
): FunctionDefinition {
  return { kind: 'endpoint', functions };
}

/** Says who signs in at `GET /token`, with `sign_in: { function: <name> }` in the config. */
export function defineSignIn(functions: SignInFunction): FunctionDefinition {
  return { kind: 'sign_in', functions };
}

/**
 * Thrown by a function to refuse: a write is then rejected with this message, which the app can
 * show; an endpoint answers with `status`.
 */
export class Reject extends Error {
  /** The app's own code, for its client to branch on. */
  readonly code: string | undefined;
  /** Of an endpoint's answer; default 422. */
  readonly status: number;

  constructor(message: string, options: { code?: string; status?: number } = {}) {
    super(message);
    this.name = 'Reject';
    this.code = options.code;
    this.status = options.status ?? 422;
  }
}

/** The database refused a statement. Left alone, it has the effect that it has for any write. */
export class SqlError extends Error {
  /** SQLSTATE, e.g. `23505`; undefined when the connection failed. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;

  constructor(
    message: string,
    facts: { code?: string | undefined; constraint?: string | undefined },
  ) {
    super(message);
    this.name = 'SqlError';
    this.code = facts.code;
    this.constraint = facts.constraint;
  }
}
