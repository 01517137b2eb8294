import type { JsonObject } from '@sluice/base';
import { matchesPattern, type TablePattern } from '@sluice/model';
import type { SourceCheck, TableFacts } from '@sluice/source';
import type { SyncPlan } from '@sluice/sync-config';

/**
 * The tables of a sync config as they are now: TableInfos of spec/protocol.md 1.3. A wildcard gives
 * one for each table that it matches. `facts` is undefined when the source could not be asked.
 */
export function tableInfos(plan: SyncPlan, facts: readonly TableFacts[] | undefined): JsonObject[] {
  return plan.tables.flatMap((pattern) => {
    const uses = {
      data_queries: isAmong(plan.dataTables, pattern),
      parameter_queries: isAmong(plan.parameterTables, pattern),
    };
    const found = facts?.filter((table) => matchesPattern(pattern, table)) ?? [];
    if (found.length > 0) return found.map((table) => tableInfo(pattern, table, uses));
    return [
      {
        schema: pattern.schema,
        name: pattern.name,
        ...wildcard(pattern),
        replication_id: [],
        ...uses,
        errors: facts === undefined ? [] : [missing(pattern)],
      },
    ];
  });
}

function tableInfo(pattern: TablePattern, table: TableFacts, uses: JsonObject): JsonObject {
  return {
    schema: table.schema,
    name: table.name,
    ...wildcard(pattern),
    replication_id: table.identityColumns,
    ...uses,
    errors: table.problems.map(problemError),
  };
}

/** A point of a source check as a ReplicationError. */
export function problemError({ status, message }: SourceCheck): JsonObject {
  return { level: status === 'problem' ? 'fatal' : 'warning', message };
}

function wildcard(pattern: TablePattern): { readonly pattern?: string } {
  return pattern.nameIsPrefix || pattern.schemaIsPrefix ? { pattern: patternText(pattern) } : {};
}

function patternText({ schema, schemaIsPrefix, name, nameIsPrefix }: TablePattern): string {
  const table = name + (nameIsPrefix ? '%' : '');
  return schemaIsPrefix ? `${schema}%.${table}` : table;
}

/** Nothing is replicated for it, but it may still be created. */
function missing(pattern: TablePattern): JsonObject {
  return {
    level: 'warning',
    message: `No table matches ${pattern.schema}.${pattern.name}${pattern.nameIsPrefix ? '%' : ''}`,
  };
}

function isAmong(patterns: readonly TablePattern[], wanted: TablePattern): boolean {
  return patterns.some(
    (pattern) =>
      pattern.schema === wanted.schema &&
      pattern.name === wanted.name &&
      pattern.nameIsPrefix === wanted.nameIsPrefix &&
      pattern.schemaIsPrefix === wanted.schemaIsPrefix,
  );
}
