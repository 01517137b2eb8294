import type { TablePattern } from '@sluice/model';
import type { OutputColumn, RowSelection } from '../plan/queries.ts';

/** One payload of an event: what a changed row of a table gives. */
export interface EventQuery extends RowSelection {
  readonly event: string;
  readonly columns: readonly OutputColumn[];
}

/** Events whose payloads are write checkpoints (spec/protocol.md 5.3). */
const WRITE_CHECKPOINT_EVENTS = new Set(['write_checkpoints', 'checkpoint_requests']);

export function isWriteCheckpointEvent(name: string): boolean {
  return WRITE_CHECKPOINT_EVENTS.has(name);
}

/** What is missing of the columns without which no payload is a write checkpoint. */
export function missingColumns(
  { columns }: Pick<EventQuery, 'columns'>,
  needed: readonly string[] = ['user_id', 'checkpoint'],
): readonly string[] {
  if (columns.some(({ kind }) => kind === 'star')) return [];
  const names = columns.map((column) => (column.kind === 'value' ? column.name : ''));
  return needed.filter((name) => !names.includes(name));
}

/** The payloads that are write checkpoints. */
export function writeCheckpointPayloads(events: readonly CompiledEvent[]): readonly EventQuery[] {
  return events
    .filter(({ name }) => isWriteCheckpointEvent(name))
    .flatMap(({ payloads }) => payloads)
    .filter((payload) => missingColumns(payload).length === 0);
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
