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
  FilledPart,
  LookupFunction,
  RequestContext,
  RowEvaluator,
  RowWriteCheckpoint,
  StreamSubscription,
  SyncOptions,
  SyncPlan,
  TextEdit,
  WriteCheckpointEvaluator,
} from './contract.ts';
export type {
  ResolvedBucket,
  ResolvedBuckets,
  ResolvedStream,
  SubscriptionReason,
} from './resolve/resolved-buckets.ts';
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
export type {
  BucketResolution,
  BucketVisibility,
  DefinitionExplanation,
  FailedCondition,
  NamedValue,
  PlacedBucket,
  RequestExplanation,
  ResolutionPart,
  ResolutionStep,
  RowEvent,
  RowExplanation,
  RowLookup,
  RowPlacement,
  RowReason,
  VisibilityExplanation,
  VisibilityReason,
} from './explain/explanation.ts';
export { explainVisibility } from './explain/explain-visibility.ts';
export { compileSyncConfig } from './compile.ts';
export {
  formatDiagnostic,
  positionAt,
  type DiagnosticPart,
  type FormatOptions,
  type TextPosition,
} from './format-diagnostic.ts';
export { syncConfigJsonSchema } from './yaml/config-schema.ts';
export { compareDefinitions, type DefinitionChanges } from './plan/compare-definitions.ts';
export { writeCheckpointKey } from './events/write-checkpoint-key.ts';
export { closest } from './suggest.ts';
export { findYamlExcess, MAX_YAML_DEPTH, type YamlExcess } from './yaml/yaml-excess.ts';
export {
  compileExpression,
  ExpressionFailure,
  type CompiledExpression,
} from './expression/compile-expression.ts';
export type { DatabaseText } from './expression/database-text.ts';
export type {
  ColumnRead,
  ExpressionScope,
  ExpressionSource,
  ExpressionValues,
  RequestValue,
} from './expression/expression-scope.ts';
export type { ScalarPlace } from './yaml/sql-text.ts';
