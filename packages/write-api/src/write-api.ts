import {
  ConfigError,
  silentLogger,
  systemClock,
  toAppError,
  type Clock,
  type Logger,
} from '@sluice/base';
import { DEFAULT_WRITE_API, type WriteApiConfig } from './config/write-api-config.ts';
import type { ConflictResolver } from './conflict/conflict-resolver.ts';
import { dataRoutes } from './data-api/data-routes.ts';
import type { AppFunctions } from './functions/app-functions.ts';
import { endpointRoutes } from './functions/endpoint-routes.ts';
import { withHooks } from './functions/with-hooks.ts';
import { createRouter, type RequestHandler } from './http/router.ts';
import type { Route } from './http/route.ts';
import { applyUpload } from './pipeline/apply-upload.ts';
import type { Caller } from './pipeline/row-write.ts';
import type { TableSteps } from './pipeline/table-steps.ts';
import type { ApplyWrites } from './pipeline/write-core.ts';
import { checkLiveRules, checkRuleTexts, describeProblem } from './policy/check-live-rules.ts';
import type { PolicyProblem } from './policy/policy-problem.ts';
import { LiveRules } from './policy/live-rules.ts';
import { PostgresStore } from './postgres/postgres-store.ts';
import type { WriteDatabase } from './postgres/write-database.ts';
import { uploadRoute, type UploadFacts } from './upload/upload-route.ts';

export interface WriteApiOptions {
  /** A pool of connections; the write API never closes it. */
  readonly database: WriteDatabase;
  /** Rejects with an `AppError` of status 401 when the request names no valid user. */
  readonly authenticate: (request: Request) => Promise<Caller>;
  /** Default: every table of `public`, no rules. */
  readonly config?: WriteApiConfig | undefined;
  /** What writes of a table go through before the rules of the config; default: nothing. */
  readonly stepsOf?: ((table: string) => TableSteps | undefined) | undefined;
  /** The app's functions: hooks go around the steps, endpoints are served, conflicts are resolved. */
  readonly functions?: AppFunctions | undefined;
  /** For `conflict: { function: name }`; default: those of `functions`. */
  readonly resolverOf?: ((name: string) => ConflictResolver | undefined) | undefined;
  /** More to answer, with the way of a write for those who write. */
  readonly routes?: ((apply: ApplyWrites) => readonly Route[]) | undefined;
  readonly onUpload?: ((facts: UploadFacts) => void) | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** A value in [0, 1); default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

type StepsOf = (table: string) => TableSteps | undefined;

/**
 * The write API as one handler of web standard requests, for the service and any other web server.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` for a schema that must not be written, `CONFIG_WRITE_RULES`
 * for rules that do not compile. Rules that do not fit the tables are logged as errors, and those tables
 * take no writes.
 */
export function createWriteApi(options: WriteApiOptions): RequestHandler {
  const config = options.config ?? DEFAULT_WRITE_API;
  const logger = options.logger ?? silentLogger;
  const clock = options.clock ?? systemClock;
  checkSchema(config.schema);
  checkRuleTexts(config);
  const rules = new LiveRules(config.tables ?? new Map(), {
    now: () => new Date(clock.now()),
    uuid: () => crypto.randomUUID(),
    resolverOf: options.resolverOf ?? ((name) => options.functions?.conflictResolver(name)),
    logger,
  });
  const storeAs = (
    role: string | undefined,
    rejectedWrites: WriteApiConfig['rejectedWrites'],
  ): PostgresStore =>
    new PostgresStore({
      database: options.database,
      schema: config.schema,
      role,
      rejectedWrites,
      rememberDays: config.rememberUploadsDays,
      statementTimeoutMs: config.limits.statementTimeoutMs,
      clock,
      logger,
      onTables: (tables, missing) => rules.learn(tables, missing),
    });
  const role = config.rowLevelSecurity?.role;
  const store = storeAs(role, config.rejectedWrites);
  const hooked = (steps: StepsOf): StepsOf =>
    options.functions === undefined ? steps : withHooks(steps, options.functions);
  const stepsOf = hooked((table) => joined(options.stepsOf?.(table), rules.stepsOf(table)));
  logRuleProblems(options.database, { config, rules, logger });
  const own = config.rejectedWrites?.table;
  const apply: ApplyWrites = (transactions, caller) =>
    applyUpload(transactions, caller, {
      store,
      stepsOf: (table) => (table === own ? undefined : stepsOf(table)),
      isWritable: (table) => table === own || (config.tables?.has(table) ?? true),
      isAtomic: config.atomicTransactions,
      clock,
      random: options.random ?? Math.random,
    });
  const upload = uploadRoute({
    authenticate: options.authenticate,
    apply,
    limits: config.limits,
    now: () => performance.now(),
    onUpload: options.onUpload ?? (() => undefined),
    logger,
  });
  const { authenticate } = options;
  const { maxBodyBytes } = config.limits;
  const data = dataRoutes({
    store: storeAs(role, undefined),
    serviceStore: storeAs(undefined, undefined),
    // With row-level security, its policies say who reads what.
    readRuleOf: (table) =>
      config.tables?.get(table)?.read ?? (role === undefined ? undefined : 'true'),
    stepsOf,
    serviceStepsOf: hooked(() => undefined),
    isWritable: (table) => config.tables?.has(table) ?? true,
    serviceTokens: config.serviceTokens,
    authenticate,
    maxBodyBytes,
    clock,
    random: options.random ?? Math.random,
  });
  const functions = options.functions
    ? endpointRoutes({ functions: options.functions, store, authenticate, maxBodyBytes })
    : [];
  const handle = createRouter({
    routes: [upload, ...data, ...functions, ...(options.routes?.(apply) ?? [])],
    maxConcurrency: config.limits.maxConcurrency,
    logger,
  });
  const tidy = pruning({ store, clock, logger });
  return async (request, client) => {
    const response = await handle(request, client);
    tidy();
    return response;
  };
}

/** At start; later changes of tables are seen when they are written. */
function logRuleProblems(
  database: WriteDatabase,
  { config, rules, logger }: { config: WriteApiConfig; rules: LiveRules; logger: Logger },
): void {
  if (config.tables === undefined) return;
  const log = (problem: PolicyProblem) =>
    logger[problem.severity === 'error' ? 'error' : 'warn']('write_rules_problem', {
      code: problem.code,
      message: describeProblem(problem),
    });
  checkLiveRules(database, config, rules).then(
    (problems) => problems.forEach(log),
    (error: unknown) =>
      logger.warn('write_rules_unchecked', { message: toAppError(error).message }),
  );
}

const PRUNE_EVERY_MS = 3_600_000;

/** After a request, from time to time: nothing runs while nobody uploads. */
function pruning(around: {
  readonly store: PostgresStore;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { store, clock, logger } = around;
  let nextAtMs = clock.now() + PRUNE_EVERY_MS;
  return () => {
    if (clock.now() < nextAtMs) return;
    nextAtMs = clock.now() + PRUNE_EVERY_MS;
    store.prune().catch((error: unknown) => {
      logger.warn('write_api_prune_failed', { message: toAppError(error).message });
    });
  };
}

function joined(before: TableSteps | undefined, rules: TableSteps | undefined) {
  if (before === undefined || rules === undefined) return before ?? rules;
  return { ...before, bundles: [...before.bundles, ...rules.bundles] };
}

function checkSchema(schema: string): void {
  if (!schema.startsWith('pg_') && !['information_schema', 'sluice'].includes(schema)) return;
  throw new ConfigError('CONFIG_INVALID_VALUE', `Uploads may not change the schema ${schema}`);
}
