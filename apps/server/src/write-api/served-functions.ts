import type { AppError, Clock, Logger } from '@sluice/base';
import { AppFunctions, watchFunctions, type WriteApiConfig } from '@sluice/write-api';

export interface ServedFunctionsOptions {
  readonly config: WriteApiConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The app's functions as this process runs them. */
export class ServedFunctions implements AsyncDisposable {
  readonly functions: AppFunctions;
  readonly #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(functions: AppFunctions) {
    this.functions = functions;
  }

  /**
   * Undefined where the configuration names no folder.
   *
   * @throws ConfigError `FUNCTION_INVALID`
   */
  static async open(options: ServedFunctionsOptions): Promise<ServedFunctions | undefined> {
    const { config, clock, logger } = options;
    const { functions: folder, functionLimits: limits, reloadFunctions } = config;
    if (folder === undefined) return undefined;
    const served = new ServedFunctions(await AppFunctions.open({ folder, logger, limits }));
    if (reloadFunctions) served.#watch(folder, clock, logger);
    return served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.functions[Symbol.asyncDispose]();
  }

  #watch(folder: string, clock: Clock, logger: Logger): void {
    const { functions } = this;
    const onReload = (problem: AppError | undefined): void => {
      if (problem === undefined) logger.info('functions_reloaded');
      else logger.warn('functions_invalid', { code: problem.code, message: problem.message });
    };
    const { signal } = this.#stop;
    this.#watching = watchFunctions({ functions, folder, clock, signal, onReload });
  }
}
