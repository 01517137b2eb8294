import type { JsonObject, Pace } from '@sluice/base';
import type {
  EvaluatedRow,
  SqliteRow,
  SqliteValue,
  TablePattern,
  TableSchema,
} from '@sluice/model';
import type { ClientSchema } from './client-schema/client-schema.ts';
import type { ResolvedBuckets } from './resolve/resolved-buckets.ts';
import type { RequestExplanation, RowExplanation } from './explain/explanation.ts';

/** What compiling a sync config gives: a plan unless a diagnostic is fatal. Never throws. */
export interface CompiledSyncConfig {
  readonly plan: SyncPlan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface CompileOptions {
  /** Schema of tables that a query names without one. */
  readonly defaultSchema: string;
  /** Live tables of the source; enables TABLE_NOT_FOUND, COLUMN_NOT_FOUND and ID_MISSING. */
  readonly sourceSchema?: readonly TableSchema[] | undefined;
  /** Adds `EXACT_SEMANTICS`: where editions 1 to 3 behave otherwise than SQLite would. */
  readonly exactAdvice?: boolean | undefined;
}

/** A problem in the user's text (spec/sync-config.md 16). */
export interface Diagnostic {
  /** A code of spec/sync-config.md 16, e.g. `UNKNOWN_FUNCTION`. */
  readonly code: string;
  /** `info` is advice that changes nothing; it is given only where `CompileOptions` ask for it. */
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** For people: what to write instead, where that is known. */
  readonly fix?: string | undefined;
  /** For editors: the same as a change of the text, where it can be made without thinking. */
  readonly edit?: TextEdit | undefined;
  /** Offsets into the YAML text, in UTF-16 units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Replaces the text from `start` to `end` (exclusive), offsets as in `Diagnostic`, by `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A sync config compiled once. Pure: no I/O, no clock. */
export interface SyncPlan {
  /** Equal for configs of equal meaning: comments, formatting and order in the file do not show. */
  readonly hash: string;
  /** What the config asks of those who turn source values into SQLite values. */
  readonly options: SyncOptions;
  readonly definitions: readonly DefinitionInfo[];
  /**
   * The write checkpoints that it takes from rows (spec/protocol.md 5.3); undefined where the service
   * manages them.
   */
  readonly writeCheckpoints: FilledPart | undefined;
  /** All that is filled from tables and kept under a prefix: definitions, then write checkpoints. */
  readonly parts: readonly FilledPart[];
  /** The tables whose rows the plan reads. */
  readonly tables: readonly TablePattern[];
  /** Those of `tables` whose rows go into buckets. */
  readonly dataTables: readonly TablePattern[];
  /** Those of `tables` that requests look something up in; a table can be both. */
  readonly parameterTables: readonly TablePattern[];
  /**
   * The events of `event_definitions` (spec/sync-config.md 18). Of their tables only those that make
   * write checkpoints are among `tables`: nothing consumes other events.
   */
  readonly events: readonly EventInfo[];
  /**
   * Compiles the evaluation of one table's rows, for the definitions that have a prefix. Undefined
   * when none of them reads the table.
   */
  rowEvaluator(table: TableSchema, prefixes: BucketPrefixes): RowEvaluator | undefined;
  /** Compiles the event payloads of one table's rows. Undefined when no event reads it. */
  eventEvaluator(table: TableSchema): EventEvaluator | undefined;
  /** Compiles which write checkpoints one table's rows make. Undefined when they make none. */
  writeCheckpointEvaluator(table: TableSchema): WriteCheckpointEvaluator | undefined;
  /**
   * Decides what a request may see of the definitions, each of which has a prefix; what needs no
   * storage is decided here and now.
   */
  resolver(request: RequestContext, prefixes: BucketPrefixes): BucketResolver;
  /** Says where `rowEvaluator` puts a row, and why nowhere else. For people, so not fast. */
  explainRow(table: TableSchema, row: SqliteRow, prefixes: BucketPrefixes): RowExplanation;
  /**
   * Resolves a request as `resolver` does, and says what came of every definition and why. A refusal
   * is part of the answer.
   */
  explainRequest(
    request: RequestContext,
    prefixes: BucketPrefixes,
    answers: { readonly lookup: LookupFunction; readonly maxResults: number },
  ): Promise<RequestExplanation>;
  /** What clients must know to read the rows (spec/sync-config.md 17); best with the live tables. */
  clientSchema(sourceSchema: readonly TableSchema[] | undefined): ClientSchema;
}

/**
 * What stands in front of all bucket names and lookup keys of a definition, e.g. `1f3a9c2e.7#`, by
 * the definition's hash.
 */
export type BucketPrefixes = ReadonlyMap<string, string>;

/** Options with the defaults of the edition applied (spec/sync-config.md 2). */
export interface SyncOptions {
  readonly timestampsIso8601: boolean;
  readonly versionedBucketIds: boolean;
  readonly fixedJsonExtract: boolean;
  readonly customPostgresTypes: boolean;
  /** Undefined: the default of the source. */
  readonly timestampMaxPrecision:
    'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds' | undefined;
}

export interface DefinitionInfo {
  readonly name: string;
  readonly kind: 'bucket_definition' | 'stream';
  /** Included for clients that do not switch defaults off. Always true for bucket definitions. */
  readonly isDefault: boolean;
  readonly priority: number;
  /**
   * Hash of all that decides which rows its buckets and lookups hold. Definitions of equal hash can
   * share them, across configs (design D7).
   */
  readonly hash: string;
  /** The tables whose rows it reads. */
  readonly tables: readonly TablePattern[];
}

/** Something that is filled from tables; equal hashes can share what was filled, across configs. */
export interface FilledPart {
  readonly name: string;
  readonly hash: string;
  readonly tables: readonly TablePattern[];
}

/** An entry of `event_definitions`, e.g. `write_checkpoints`. */
export interface EventInfo {
  readonly name: string;
  /** Whether its payloads become write checkpoints; nothing else consumes events. */
  readonly makesWriteCheckpoints: boolean;
  /** The tables whose changed rows emit it; a table falls under at most one of them. */
  readonly tables: readonly TablePattern[];
}

export interface EventEvaluator {
  /**
   * The events that a changed row emits, in config order; at most one per event. Never throws: a
   * payload that fails on this row is listed in `errors`, with the event as `definition`.
   */
  evaluate(row: SqliteRow): {
    readonly events: readonly EvaluatedEvent[];
    readonly errors: readonly EvaluationError[];
  };
}

export interface EvaluatedEvent {
  readonly event: string;
  /** By column name, e.g. `user_id` and `checkpoint`. */
  readonly payload: ReadonlyMap<string, SqliteValue>;
}

export interface WriteCheckpointEvaluator {
  /**
   * The write checkpoints that a row makes, usually one. Never throws: a payload that fails, or that
   * has no proper value where one is needed, is listed in `errors`.
   */
  evaluate(row: SqliteRow): {
    readonly writeCheckpoints: readonly RowWriteCheckpoint[];
    readonly errors: readonly EvaluationError[];
  };
}

export interface RowWriteCheckpoint {
  /** As `userKeyOf` makes it. */
  readonly user: string;
  /** From 1 to 2^63-1. */
  readonly value: bigint;
}

export interface RowEvaluator {
  /**
   * Evaluates a row whose values stand in the order of the table's columns. Never throws: a query
   * that fails on this row contributes nothing and is listed in `errors` (spec/sync-config.md 10.8).
   */
  evaluate(row: SqliteRow): EvaluatedRow & { readonly errors: readonly EvaluationError[] };
}

export interface EvaluationError {
  readonly definition: string;
  /** Says what failed without quoting row data. */
  readonly message: string;
}

/** Who asks for what (spec/sync-config.md 7, spec/protocol.md 6). */
export interface RequestContext {
  /** The verified token payload; `sub` as sent. */
  readonly claims: JsonObject;
  /** Connection parameters. */
  readonly parameters: JsonObject;
  readonly includeDefaults: boolean;
  readonly subscriptions: readonly StreamSubscription[];
}

export interface StreamSubscription {
  readonly stream: string;
  readonly parameters: JsonObject | null;
  readonly overridePriority: number | null;
}

export interface BucketResolver {
  /** Whether the buckets depend on lookups, so that `resolve` must be repeated when those change. */
  readonly isDynamic: boolean;
  /**
   * Finds the buckets, asking for lookups as needed (in stages where one gives keys for the next).
   *
   * @throws SyncError `SYNC_PARAMETER_ERROR` when a bucket definition fails (10.8);
   * `SYNC_TOO_MANY_PARAMETER_RESULTS` above `maxResults`. Gives way to others as `pace` says; by
   * default it does not.
   */
  resolve(
    lookup: LookupFunction,
    maxResults: number,
    options?: { readonly pace?: Pace | undefined },
  ): Promise<ResolvedBuckets>;
}

/** Gives the `values` (JSON array texts) stored under each key; keys without entries are missing. */
export type LookupFunction = (
  keys: readonly string[],
) => Promise<ReadonlyMap<string, readonly string[]>>;
