import type { Caller, RowWrite, StoredRow } from '../pipeline/row-write.ts';

/** What host and worker thread tell each other: plain data, which the structured clone can carry. */

/** What a loaded folder has, in the order of files and exports. */
export interface FunctionManifest {
  readonly tables: readonly TableEntry[];
  readonly endpoints: readonly EndpointEntry[];
  readonly signIns: readonly FunctionEntry[];
}

export interface FunctionEntry {
  readonly name: string;
  /** Name of the file in the folder. */
  readonly file: string;
  /** Place among the definitions of the bundle. */
  readonly index: number;
}

export interface TableEntry extends FunctionEntry {
  readonly table: string;
  readonly beforeWrite: boolean;
  readonly afterWrite: boolean;
  readonly resolveConflict: boolean;
}

export interface EndpointEntry extends FunctionEntry {
  readonly method: string;
  /** Segments under `/functions/`; those that begin with `:` are parameters. */
  readonly path: readonly string[];
  readonly isPublic: boolean;
}

export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer>;
}

export type HookName = 'beforeWrite' | 'afterWrite' | 'resolveConflict';

/** What a call is for. */
export type CallInput =
  | {
      readonly kind: 'hook';
      readonly hook: HookName;
      readonly write: RowWrite;
      readonly stored: StoredRow;
      readonly caller: Caller;
    }
  | {
      readonly kind: 'endpoint';
      readonly request: WireRequest;
      readonly params: Readonly<Record<string, string>>;
      readonly caller: Caller | undefined;
    }
  | { readonly kind: 'sign_in'; readonly request: WireRequest }
  /** Runs what the call of that id left for after the commit. */
  | { readonly kind: 'after_commit'; readonly callId: number };

export type ToWorker =
  | {
      readonly kind: 'call';
      readonly id: number;
      /** Which definition; -1 for `after_commit`. */
      readonly index: number;
      readonly name: string;
      readonly input: CallInput;
    }
  | { readonly kind: 'abort'; readonly id: number }
  /** The transaction of that call did not commit: its work for after the commit is dropped. */
  | { readonly kind: 'forget'; readonly callId: number }
  | { readonly kind: 'answer'; readonly requestId: number; readonly answer: DatabaseAnswer };

export type DatabaseAnswer =
  | {
      readonly kind: 'rows';
      readonly rows: readonly Readonly<Record<string, unknown>>[];
      readonly rowCount: number;
    }
  | {
      readonly kind: 'error';
      readonly message: string;
      readonly code: string | undefined;
      readonly constraint: string | undefined;
    };

export type DatabaseRequest =
  | { readonly kind: 'query'; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly kind: 'begin' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' };

export type CallFailure =
  /** `Reject`. */
  | {
      readonly kind: 'reject';
      readonly message: string;
      readonly code: string | undefined;
      readonly status: number;
    }
  /** The error of that request to the database, not caught by the function. */
  | { readonly kind: 'database'; readonly requestId: number }
  | { readonly kind: 'error'; readonly message: string; readonly stack: string };

export type CallValue =
  | { readonly kind: 'write'; readonly values: RowWrite['values'] }
  | { readonly kind: 'skip' }
  | { readonly kind: 'done' }
  | { readonly kind: 'response'; readonly response: WireResponse }
  | {
      readonly kind: 'signed_in';
      readonly userId: string;
      readonly claims: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'nobody' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type FromWorker =
  | { readonly kind: 'ready'; readonly manifest: FunctionManifest }
  | { readonly kind: 'load_failed'; readonly message: string; readonly stack: string }
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly value: CallValue;
      /** Pieces of work that wait for the commit. */
      readonly afterCommits: number;
    }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: CallFailure }
  /** The thread has heard of the end of the time: it is waiting for something, not computing. */
  | { readonly kind: 'abort_heard'; readonly id: number }
  | {
      readonly kind: 'request';
      readonly callId: number;
      readonly requestId: number;
      readonly request: DatabaseRequest;
    }
  | {
      readonly kind: 'log';
      /** Of the function that ran then. */
      readonly name: string;
      readonly level: LogLevel;
      readonly message: string;
      readonly facts: Readonly<Record<string, unknown>>;
    }
  /** A rejected promise that nobody waited for. */
  | {
      readonly kind: 'unhandled';
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    };
