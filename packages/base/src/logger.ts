/**
 * The part of a structured logger that packages use. `event` names what happened in
 * `area_thing_verb` form; `facts` hold ids and numbers with their unit in the name.
 */
export interface Logger {
  debug(event: string, facts?: LogFacts): void;
  info(event: string, facts?: LogFacts): void;
  warn(event: string, facts?: LogFacts): void;
  error(event: string, facts?: LogFacts): void;
}

export type LogFacts = Readonly<Record<string, unknown>>;

const ignore = (): void => {};

/** For tests and for callers that do not care. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
