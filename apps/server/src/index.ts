export {
  CONFIG_FILE_NAMES,
  loadServiceConfig,
  type LoadConfigOptions,
} from './config/load-config.ts';
export { ConfigFileError, formatProblems, type ConfigProblem } from './config/config-problem.ts';
export type {
  ApiConfig,
  ClientAuthConfig,
  LoggingConfig,
  LogLevel,
  PostgresConnection,
  ProbeConfig,
  ServiceConfig,
  SqliteStorageConfig,
  SyncConfigSource,
} from './config/service-config.ts';
export { createLogger } from './logging/create-logger.ts';
export { openBucketStorage, openSource } from './open-stores.ts';
export { startService, type Service, type StartOptions } from './service.ts';
export { stopOnSignals } from './stop-on-signals.ts';
export type {
  ReplicationStatus,
  ServiceStatus,
  SnapshotProgress,
  StatusError,
} from './service-status.ts';
export type { DeployPlan, PlannedDefinition, PlannedTable } from './admin/deploy-plan.ts';
export type { DeployStatus } from './admin/deploy-status.ts';
export { planFromStorage } from './admin/plan-from-storage.ts';
