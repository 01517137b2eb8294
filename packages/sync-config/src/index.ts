export type {
  BucketResolver,
  CompiledSyncConfig,
  CompileOptions,
  DefinitionInfo,
  Diagnostic,
  EvaluationError,
  LookupFunction,
  RequestContext,
  ResolvedBucket,
  ResolvedBuckets,
  ResolvedStream,
  RowEvaluator,
  StreamSubscription,
  SubscriptionReason,
  SyncOptions,
  SyncPlan,
  TextEdit,
} from './contract.ts';
export { compileSyncConfig } from './compile.ts';
export {
  formatDiagnostic,
  positionAt,
  type DiagnosticPart,
  type FormatOptions,
  type TextPosition,
} from './format-diagnostic.ts';
export { syncConfigJsonSchema } from './yaml/config-schema.ts';
