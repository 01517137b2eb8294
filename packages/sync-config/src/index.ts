export type {
  BucketPrefixes,
  BucketResolver,
  CompiledSyncConfig,
  CompileOptions,
  DefinitionInfo,
  Diagnostic,
  EvaluatedEvent,
  EvaluationError,
  EventEvaluator,
  EventInfo,
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
} from './contract.ts';
export { compileSyncConfig } from './compile.ts';
export { compareDefinitions, type DefinitionChanges } from './plan/compare-definitions.ts';
export { formatDiagnostic } from './format-diagnostic.ts';
