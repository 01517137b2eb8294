import type { CompileContext } from '../compile-context.ts';
import type { BucketQuery, CompiledDefinition } from '../plan/queries.ts';
import type { BucketDefinitionDocument } from '../yaml/config-document.ts';
import type { LegacyQuery } from './bind-scope.ts';
import { compileDataQuery } from './compile-data-query.ts';
import { compileParameterQuery, type ParameterQuery } from './compile-parameter-query.ts';

/** Compiles an entry of `bucket_definitions`. Source: spec/sync-config.md 8. */
export function compileBucketDefinition(
  document: BucketDefinitionDocument,
  context: CompileContext,
): CompiledDefinition {
  const { name } = document;
  const errorsBefore = context.diagnostics.errorCount;
  const parameterQueries = (document.parameters ?? [])
    .map((text, i) => compileParameterQuery(text, name, i + 1, context))
    .filter((query) => query !== undefined);
  checkParameterQueries(document, parameterQueries);
  const parameters = [...(parameterQueries[0]?.outputs.keys() ?? [])];
  const priority = document.priority ?? 3;
  // Where the parameters are not known for sure, complaints about their use would mislead.
  const known = context.diagnostics.errorCount === errorsBefore ? parameters : undefined;
  const rows = document.data.flatMap((text, number) =>
    compileDataQuery(text, { definition: name, number }, known, context),
  );
  const buckets =
    document.parameters === undefined
      ? [globalBucket(name, priority)]
      : parameterQueries.flatMap((query) =>
          query.link(name, parameters, query.priority ?? priority),
        );
  return {
    info: { name, kind: 'bucket_definition', isDefault: true, priority },
    queries: { rows, lookups: parameterQueries.flatMap((query) => query.lookups), buckets },
  };
}

function globalBucket(name: string, priority: number): BucketQuery {
  const component = { steps: [], results: [] };
  return {
    definition: name,
    bucket: name,
    priority,
    filter: undefined,
    parameterCount: 0,
    components: [component],
  };
}

function checkParameterQueries(
  document: BucketDefinitionDocument,
  queries: readonly ParameterQuery[],
): void {
  const first = queries.find(({ isComplete }) => isComplete);
  for (const { query, outputs, priority, isDangerous, isComplete } of queries) {
    if (first !== undefined && isComplete)
      checkOutputs(query, [...outputs.keys()], [...first.outputs.keys()]);
    if (priority !== undefined && document.priority !== undefined) {
      const message = 'The priority is set both in YAML and by _priority';
      query.report.error('PRIORITY', query.select, message, 'Remove one of them');
    }
    if (isDangerous && !document.acceptsDangerousQueries) {
      query.report.warn(
        'DANGEROUS',
        query.select,
        'Any client can choose these parameters, for nothing authenticated restricts them',
        'Use a claim of the token, or set accept_potentially_dangerous_queries: true',
      );
    }
  }
}

/**
 * Another order would file the values of this query under the names of others (8.1 rule 1), so it is
 * refused as well.
 */
function checkOutputs(query: LegacyQuery, own: readonly string[], first: readonly string[]): void {
  if (own.join('\0') === first.join('\0')) return;
  const isReordered = own.toSorted().join('\0') === first.toSorted().join('\0');
  const message = isReordered
    ? 'All parameter queries of a definition must output the same names in the same order'
    : 'All parameter queries of a definition must output the same names';
  query.report.error('PARAM_SET_MISMATCH', query.select, message, `Output ${first.join(', ')}`);
}
