export { assert, must, unreachable } from './assert.ts';
export {
  AppError,
  ConfigError,
  SourceError,
  StorageError,
  SyncError,
  toAppError,
  type AppErrorOptions,
} from './app-error.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export { BoundedQueue } from './bounded-queue.ts';
export { ConcurrencyGroup } from './concurrency-group.ts';
export { abortReason, pause, systemClock, type Clock } from './clock.ts';
export type { ErrorEntry } from './error-entry.ts';
export { ERROR_TABLE, type ErrorCode } from './error-table.ts';
export { failureFacts, type FailureFacts } from './failure-facts.ts';
export { parseExactJson } from './exact-json.ts';
export { isDeeperThan, isJsonObject, type JsonObject, type JsonValue } from './json.ts';
export {
  FairTurns,
  PACED_ITEMS,
  pacedEach,
  UNPACED,
  type FairTurnsOptions,
  type Pace,
} from './pace.ts';
export { silentLogger, type LogFacts, type Logger } from './logger.ts';
