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
export type {
  ClientColumn,
  ClientSchema,
  ClientStream,
  ClientTable,
  ClientType,
  StreamParameter,
} from './client-schema/client-schema.ts';
export { SCHEMA_FORMATS } from './client-schema/schema-formats.ts';
export { clientSchemaProblems } from './client-schema/schema-problems.ts';
export type { GenerateOptions, SchemaFormat } from './client-schema/formats/schema-format.ts';
export { compileSyncConfig } from './compile.ts';
export { compareDefinitions, type DefinitionChanges } from './plan/compare-definitions.ts';
export { formatDiagnostic } from './format-diagnostic.ts';
