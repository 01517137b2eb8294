export {
  writeApiConfig,
  DEFAULT_WRITE_API,
  type WriteApiConfig,
} from './config/write-api-config.ts';
export type { TokensConfig } from './config/tokens-config.ts';
export { WRITE_API_SCHEMA } from './config/write-api-schema.ts';
export { AppFunctions, type FunctionsOptions } from './functions/app-functions.ts';
export { appSignIns, type AppSignInsOptions } from './functions/app-sign-ins.ts';
export type { FunctionManifest } from './functions/messages.ts';
export { watchFunctions, type WatchFunctionsOptions } from './functions/watch-functions.ts';
export type { ClientFacts, Route } from './http/route.ts';
export { createRouter, type RequestHandler } from './http/router.ts';
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
export {
  prepareWriteDatabase,
  type PrepareWriteDatabaseOptions,
} from './postgres/prepare-write-database.ts';
export type { WriteConnection, WriteDatabase } from './postgres/write-database.ts';
export type { ConflictResolver } from './conflict/conflict-resolver.ts';
export { checkWriteApiRules } from './policy/check-write-api.ts';
export type { PolicyProblem } from './policy/policy-problem.ts';
export { Rejection, type RejectionOptions } from './rejection.ts';
export type { UploadFacts } from './upload/upload-route.ts';
export { createWriteApi, type WriteApiOptions } from './write-api.ts';
export { callerOf, tokenAuthenticator } from './tokens/caller.ts';
export { environmentKeys, environmentLines } from './tokens/keys/environment-keys.ts';
export { type StoredKey } from './tokens/keys/key-file-format.ts';
export { readKeyFile, writeKeyFile } from './tokens/keys/key-file.ts';
export { keyStates, type KeyState } from './tokens/keys/key-states.ts';
export {
  newStoredKey,
  PUBLISHED_BEFORE_SIGNING_SECONDS,
  rotateKeys,
} from './tokens/keys/rotate-keys.ts';
export { KEY_ALGORITHMS, type KeyAlgorithm } from './tokens/keys/token-key.ts';
export { openTokens, tokenKeys, type TokenKeys, type Tokens } from './tokens/open-tokens.ts';
export type { SignInFunction } from './tokens/sign-in/sign-in-function.ts';
export type { SignInRequest } from './tokens/sign-in/sign-in.ts';
