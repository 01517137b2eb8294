import type { TablePattern } from '@sluice/model';
import type { OutputColumn, RowSelection } from '../plan/queries.ts';

/** One payload of an event: what a changed row of a table gives. */
export interface EventQuery extends RowSelection {
  readonly event: string;
  readonly columns: readonly OutputColumn[];
}

/** An entry of `event_definitions`. Source: spec/sync-config.md 18. */
export interface CompiledEvent {
  readonly name: string;
  readonly payloads: readonly EventQuery[];
}

/** Whether some table may fall under both patterns. */
export function patternsOverlap(a: TablePattern, b: TablePattern): boolean {
  return (
    namesOverlap(a.schema, a.schemaIsPrefix, b.schema, b.schemaIsPrefix) &&
    namesOverlap(a.name, a.nameIsPrefix, b.name, b.nameIsPrefix)
  );
}

function namesOverlap(a: string, aIsPrefix: boolean, b: string, bIsPrefix: boolean): boolean {
  if (aIsPrefix && b.startsWith(a)) return true;
  return bIsPrefix ? a.startsWith(b) : a === b;
}
