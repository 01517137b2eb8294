import type { VerifiedToken } from '@sluice/auth';
import { toAppError, type Clock, type Logger } from '@sluice/base';
import {
  createWriteApi,
  prepareWriteDatabase,
  type AppFunctions,
  type RequestHandler,
  type WriteApiConfig,
} from '@sluice/write-api';
import type { WritePool } from '../open-stores.ts';
import { addedUploads, NO_UPLOADS, type UploadCounts } from './upload-counts.ts';
import { VerifiedCallers } from './verified-callers.ts';

export interface ServedWriteApiOptions {
  readonly config: WriteApiConfig;
  /** The caller closes it. */
  readonly pool: WritePool;
  readonly functions: AppFunctions | undefined;
  readonly verify: (token: string) => Promise<VerifiedToken>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The write API as this process serves it. */
export class ServedWriteApi {
  readonly handle: RequestHandler;
  readonly maxBodyBytes: number;
  readonly #pool: WritePool;
  #counts: UploadCounts = NO_UPLOADS;

  constructor(options: ServedWriteApiOptions) {
    const { config, pool, functions, verify, clock, logger, random } = options;
    this.maxBodyBytes = config.limits.maxBodyBytes;
    this.#pool = pool;
    const callers = new VerifiedCallers({ verify, clock });
    this.handle = createWriteApi({
      database: pool,
      authenticate: (request) => callers.caller(request),
      config,
      functions,
      onUpload: ({ durationMs, entries }) => {
        this.#counts = addedUploads(this.#counts, { uploads: 1, durationMs, entries });
      },
      clock,
      logger,
      random,
    });
    // Uploads need not wait for it: each makes what is still missing.
    prepareWriteDatabase({ database: this.#pool, config, logger }).catch((error: unknown) => {
      const { code, message, remedy } = toAppError(error);
      logger.warn('write_api_unprepared', { code, message, remedy });
    });
  }

  get counts(): UploadCounts {
    return this.#counts;
  }

  /** Connections in use, and requests that wait for one. */
  get queues(): Readonly<Record<string, number>> {
    return {
      write_api_running: this.#pool.totalCount - this.#pool.idleCount,
      write_api_waiting: this.#pool.waitingCount,
    };
  }
}
