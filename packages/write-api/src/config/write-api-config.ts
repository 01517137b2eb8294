import { DEFAULT_FUNCTION_LIMITS, type FunctionLimits } from '../functions/function-limits.ts';
import type { ServiceToken } from '../data-api/service-tokens.ts';
import { tokensConfig, type TokensConfig } from './tokens-config.ts';
import type { RawTableRules, RawWriteApi } from './write-api-schema.ts';

/** The section `write_api` after reading: every default filled in. */
export interface WriteApiConfig {
  readonly schema: string;
  /** By table; undefined: every table of the schema, without rules. */
  readonly tables: ReadonlyMap<string, TableRules> | undefined;
  readonly rowLevelSecurity: { readonly role: string } | undefined;
  /** Name of the table, which lies in `schema`; undefined: refused writes are not recorded. */
  readonly rejectedWrites: RejectedWritesConfig | undefined;
  readonly atomicTransactions: boolean;
  readonly rememberUploadsDays: number;
  /** Folder as written; the loader resolves it. */
  readonly functions: string | undefined;
  readonly reloadFunctions: boolean;
  readonly functionLimits: FunctionLimits;
  readonly serviceTokens: readonly ServiceToken[];
  /** Undefined: tokens are issued elsewhere. */
  readonly tokens: TokensConfig | undefined;
  readonly limits: WriteApiLimits;
}

/** What `policy/` and `conflict/` compile, in the text of the config. */
export interface TableRules {
  /** `true`, `false`, or SQL. */
  readonly insert: string;
  /** Of the row before and of that after, unless `updateCheck` is for the latter. */
  readonly update: string;
  readonly updateCheck: string | undefined;
  readonly delete: string;
  /** Undefined: the data API shows no row. */
  readonly read: string | undefined;
  /** Undefined: all. */
  readonly insertColumns: readonly string[] | undefined;
  readonly updateColumns: readonly string[] | undefined;
  readonly required: readonly string[];
  readonly immutable: readonly string[];
  /** SQL by column, those of `always` included. */
  readonly setOnInsert: ReadonlyMap<string, string>;
  readonly setOnUpdate: ReadonlyMap<string, string>;
  readonly validate: readonly ValidationRule[];
  readonly conflict: ConflictRule;
}

interface ValidationRule {
  readonly check: string;
  readonly message: string;
  /** The app's own word for it, answered as `code`. */
  readonly code: string | undefined;
}

export type ConflictRule =
  | { readonly kind: 'last_write_wins' }
  | { readonly kind: 'field_merge' }
  | { readonly kind: 'reject_stale'; readonly column: string }
  | { readonly kind: 'counters'; readonly columns: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

export interface RejectedWritesConfig {
  readonly table: string;
  readonly keptDays: number;
  readonly keptPerUser: number;
}

export interface WriteApiLimits {
  readonly maxEntries: number;
  /** Of a body, after decompression. */
  readonly maxBodyBytes: number;
  readonly maxConcurrency: number;
  readonly maxPoolSize: number;
  readonly statementTimeoutMs: number;
}

/** Fills in the defaults of a checked section. */
export function writeApiConfig(raw: RawWriteApi): WriteApiConfig {
  return {
    schema: raw.schema ?? 'public',
    tables: raw.tables && mapValues(raw.tables, (rules) => tableRules(rules ?? {})),
    rowLevelSecurity: raw.row_level_security,
    rejectedWrites: rejectedWrites(raw),
    atomicTransactions: raw.atomic_transactions ?? false,
    rememberUploadsDays: raw.remember_uploads_days ?? 30,
    functions: raw.functions,
    reloadFunctions: raw.reload_functions ?? false,
    functionLimits: functionLimits(raw),
    serviceTokens: (raw.service_tokens ?? []).map(serviceToken),
    tokens: tokensConfig(raw),
    limits: limits(raw),
  };
}

/** Without the section: every table of `public`, no rules. */
export const DEFAULT_WRITE_API: WriteApiConfig = writeApiConfig({});

function rejectedWrites(raw: RawWriteApi): RejectedWritesConfig | undefined {
  if (raw.rejected_writes === false) return undefined;
  return {
    table: raw.rejected_writes ?? 'sluice_rejected_writes',
    keptDays: raw.rejected_writes_days ?? 30,
    keptPerUser: raw.rejected_writes_per_user ?? 1000,
  };
}

function functionLimits(raw: RawWriteApi): FunctionLimits {
  const { function_threads: threads = 4, function_memory_mb: memoryMb = 128 } = raw;
  return {
    ...DEFAULT_FUNCTION_LIMITS,
    hookWorkers: threads,
    endpointWorkers: threads,
    memoryMb,
    hookTimeoutMs: (raw.hook_timeout_seconds ?? 5) * 1000,
    endpointTimeoutMs: (raw.endpoint_timeout_seconds ?? 30) * 1000,
  };
}

function serviceToken({ token, user_id: userId, claims = {} }: RawServiceToken): ServiceToken {
  if (userId === undefined) return { token, as: { kind: 'service', name: 'service' } };
  return { token, as: { kind: 'user', userId, claims } };
}

type RawServiceToken = NonNullable<RawWriteApi['service_tokens']>[number];

function limits(raw: RawWriteApi): WriteApiLimits {
  return {
    maxEntries: raw.max_entries ?? 1000,
    maxBodyBytes: raw.max_body_bytes ?? 1 << 20,
    maxConcurrency: raw.max_concurrency ?? 100,
    maxPoolSize: raw.max_pool_size ?? 8,
    statementTimeoutMs: (raw.statement_timeout_seconds ?? 30) * 1000,
  };
}

function tableRules(raw: RawTableRules): TableRules {
  const always = Object.entries(raw.set?.always ?? {});
  const set = (own: Readonly<Record<string, unknown>> | undefined) =>
    new Map([...always, ...Object.entries(own ?? {})].map(([name, sql]) => [name, String(sql)]));
  const columns = raw.columns;
  const [insertColumns, updateColumns] = Array.isArray(columns)
    ? [columns, columns]
    : [columns?.insert, columns?.update];
  return {
    insert: String(raw.insert ?? true),
    ...updateRule(raw.update),
    delete: String(raw.delete ?? true),
    read: raw.read === undefined ? undefined : String(raw.read),
    insertColumns,
    updateColumns,
    required: raw.required ?? [],
    immutable: raw.immutable ?? [],
    setOnInsert: set(raw.set?.insert),
    setOnUpdate: set(raw.set?.update),
    validate: (raw.validate ?? []).map(({ check, message, code }) => ({
      check: String(check),
      message,
      code,
    })),
    conflict: conflictRule(raw.conflict),
  };
}

function updateRule(raw: RawTableRules['update']): Pick<TableRules, 'update' | 'updateCheck'> {
  if (typeof raw === 'object') return { update: String(raw.using), updateCheck: String(raw.check) };
  return { update: String(raw ?? true), updateCheck: undefined };
}

function conflictRule(raw: RawTableRules['conflict']): ConflictRule {
  if (raw === undefined) return { kind: 'last_write_wins' };
  if (typeof raw === 'string') return { kind: raw };
  if ('reject_stale' in raw) return { kind: 'reject_stale', column: raw.reject_stale };
  if ('counters' in raw) return { kind: 'counters', columns: raw.counters };
  return { kind: 'function', name: raw.function };
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  convert: (value: T) => U,
): ReadonlyMap<string, U> {
  return new Map(Object.entries(record).map(([name, value]) => [name, convert(value)]));
}
