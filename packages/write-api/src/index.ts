export {
  writeApiConfig,
  DEFAULT_WRITE_API,
  type WriteApiConfig,
} from './config/write-api-config.ts';
export { WRITE_API_SCHEMA } from './config/write-api-schema.ts';
export { AppFunctions, type FunctionsOptions } from './functions/app-functions.ts';
export type { FunctionManifest } from './functions/messages.ts';
export { watchFunctions, type WatchFunctionsOptions } from './functions/watch-functions.ts';
export type { Route } from './http/route.ts';
export type { RequestHandler } from './http/router.ts';
export type {
  Caller,
  RowValues,
  RowWrite,
  StoredRow,
  WriteOp,
  WriteStep,
} from './pipeline/row-write.ts';
export type {
  AfterWrite,
  AppliedWrite,
  StepBundle,
  TableSteps,
  TransactionStep,
  WriteTransaction,
} from './pipeline/table-steps.ts';
export type { WriteConnection, WriteDatabase } from './postgres/write-database.ts';
export { Rejection, type RejectionOptions } from './rejection.ts';
export type { UploadFacts } from './upload/upload-route.ts';
export { createWriteApi, type WriteApiOptions } from './write-api.ts';
