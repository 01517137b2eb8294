import { ERROR_TABLE, type LogFacts, type Logger } from '@sluice/base';

/** A logger that counts the error codes of its lines; each failure is logged once, where it is handled. */
export class CountingLogger implements Logger {
  readonly #logger: Logger;
  readonly #counts = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** By code, of those in the error table. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  debug(event: string, facts?: LogFacts): void {
    this.#logger.debug(event, facts);
  }
  info(event: string, facts?: LogFacts): void {
    this.#count(facts);
    this.#logger.info(event, facts);
  }
  warn(event: string, facts?: LogFacts): void {
    this.#count(facts);
    this.#logger.warn(event, facts);
  }
  error(event: string, facts?: LogFacts): void {
    this.#count(facts);
    this.#logger.error(event, facts);
  }

  #count(facts: LogFacts | undefined): void {
    const code = facts?.['code'];
    if (typeof code !== 'string' || !Object.hasOwn(ERROR_TABLE, code)) return;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }
}
