import type { CompileContext } from './compile-context.ts';
import type { CompiledSyncConfig, CompileOptions } from './contract.ts';
import { Diagnostics } from './diagnostics.ts';
import { compileEvent } from './events/compile-event.ts';
import { languageOf } from './language.ts';
import { compileBucketDefinition } from './legacy/compile-bucket-definition.ts';
import { CompiledPlan, type PlanParts } from './plan/plan.ts';
import { compileStreams } from './stream/compile-streams.ts';
import { readConfig } from './yaml/read-config.ts';

/**
 * Compiles a sync config. Reports all problems at once and never throws; the plan is missing when
 * one of them is an error.
 *
 * Source: spec/sync-config.md.
 */
export function compileSyncConfig(yaml: string, options: CompileOptions): CompiledSyncConfig {
  const diagnostics = new Diagnostics();
  const parts = compileParts(yaml, options, diagnostics);
  const plan = parts && new CompiledPlan(parts);
  return { plan, diagnostics: diagnostics.list() };
}

/** What a plan is made of; undefined after an error. */
export function compileParts(
  yaml: string,
  options: CompileOptions,
  diagnostics: Diagnostics,
): PlanParts | undefined {
  const document = readConfig(yaml, diagnostics);
  if (document === undefined) return undefined;
  const { edition, sqliteExpressions } = document;
  const { fixedJsonExtract } = document.options;
  const context: CompileContext = {
    diagnostics,
    ...languageOf({ edition, fixedJsonExtract, sqliteExpressions }),
    defaultSchema: options.defaultSchema,
    sourceSchema: options.sourceSchema,
  };
  const definitions = [
    ...document.bucketDefinitions.map((entry) => compileBucketDefinition(entry, context)),
    ...compileStreams(document, context),
  ];
  const events = document.events.map((event) => compileEvent(event, context));
  if (diagnostics.errorCount > 0) return undefined;
  return { dialect: context.dialect, options: document.options, definitions, events };
}
