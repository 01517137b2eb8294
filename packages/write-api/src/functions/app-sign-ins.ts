import type { Clock, Logger } from '@sluice/base';
import { DEFAULT_WRITE_API, type WriteApiConfig } from '../config/write-api-config.ts';
import { PostgresStore } from '../postgres/postgres-store.ts';
import type { WriteDatabase } from '../postgres/write-database.ts';
import type { SignInFunction } from '../tokens/sign-in/sign-in-function.ts';
import { SignInRefusal } from '../tokens/sign-in/sign-in.ts';
import { FunctionRefusal, type AppFunctions } from './app-functions.ts';

export interface AppSignInsOptions {
  readonly functions: AppFunctions;
  /** For their transactions; undefined: they have none. */
  readonly database: WriteDatabase | undefined;
  /** That of the write API beside it. */
  readonly config?: WriteApiConfig | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The app's sign-in functions by name, for `openTokens`. Their statements run as the user of the
 * connection, also with row-level security: they look up what no user may see, before there is one.
 */
export function appSignIns(
  options: AppSignInsOptions,
): (name: string) => SignInFunction | undefined {
  const { functions } = options;
  const store = options.database && storeOf(options.database, options);
  return (name) => {
    if (!functions.hasSignIn(name)) return undefined;
    return (request) =>
      functions.signIn(name, request, store).catch((error: unknown) => {
        throw error instanceof FunctionRefusal ? refused(error) : error;
      });
  };
}

/** Whoever is refused may have guessed, so it counts against their address. */
function refused(cause: FunctionRefusal): SignInRefusal {
  return new SignInRefusal(cause.message, { wasTried: true, cause });
}

function storeOf(
  database: WriteDatabase,
  { config = DEFAULT_WRITE_API, clock, logger }: AppSignInsOptions,
): PostgresStore {
  return new PostgresStore({
    database,
    schema: config.schema,
    role: undefined,
    rejectedWrites: undefined,
    rememberDays: config.rememberUploadsDays,
    statementTimeoutMs: config.limits.statementTimeoutMs,
    clock,
    logger,
  });
}
