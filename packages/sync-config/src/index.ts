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
  SyncPlan,
} from './contract.ts';
// compileSyncConfig(yaml: string, options: CompileOptions): CompiledSyncConfig comes from compile.ts
