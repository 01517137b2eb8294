import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, sourcesOf } from '../expr/expression.ts';
import { openLegacyQuery, ROW, type LegacyQuery } from '../legacy/bind-scope.ts';
import { bindDataColumn, refuseBucketParameter } from '../legacy/data-column.ts';
import type { EventDocument } from '../yaml/config-document.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import {
  isWriteCheckpointEvent,
  missingColumns,
  patternsOverlap,
  type CompiledEvent,
  type EventQuery,
} from './event-query.ts';

/** Compiles an entry of `event_definitions`. Source: spec/sync-config.md 18. */
export function compileEvent(document: EventDocument, context: CompileContext): CompiledEvent {
  const payloads: EventQuery[] = [];
  for (const text of document.payloads) {
    const payload = compilePayload(text, document.name, payloads, context);
    if (payload !== undefined) payloads.push(payload);
  }
  return { name: document.name, payloads };
}

function compilePayload(
  text: SqlText,
  event: string,
  before: readonly EventQuery[],
  context: CompileContext,
): EventQuery | undefined {
  const query = openLegacyQuery(text, 'event', context);
  if (query === undefined) return undefined;
  const { source, select, report } = query;
  if (source?.kind !== 'table') {
    report.error('NO_OUTPUT_TABLE', select, 'A payload must read one table');
    return undefined;
  }
  const { pattern } = source.table;
  if (before.some((other) => patternsOverlap(other.pattern, pattern))) {
    const message = `The event ${event} already has a payload for ${pattern.name}`;
    report.error('DUPLICATE_NAME', select.from[0] ?? select, message, 'Keep one of them');
  }
  const columns = select.columns.flatMap((column) => bindDataColumn(column, query, context));
  const payload: EventQuery = {
    event,
    pattern,
    source: ROW,
    expansions: [],
    filter: bindFilter(query),
    keys: [],
    columns,
  };
  if (isWriteCheckpointEvent(event)) checkWriteCheckpoint(payload, query);
  return payload;
}

function bindFilter(query: LegacyQuery): EventQuery['filter'] {
  const [condition] = query.select.conditions.map((syntax) => query.bind(syntax));
  if (condition === undefined || !sourcesOf(condition).has(BUCKET_SOURCE)) return condition;
  refuseBucketParameter(condition, query);
  return undefined;
}

function checkWriteCheckpoint(payload: EventQuery, { report, select }: LegacyQuery): void {
  const missing = missingColumns(payload).join(' and ');
  if (missing !== '') {
    const message = `A payload of ${payload.event} without ${missing} makes no write checkpoint`;
    report.warn('EVENT_COLUMNS', select, message, `Output ${missing}`);
  } else if (missingColumns(payload, ['client_id']).length > 0) {
    const message =
      'Without client_id a write checkpoint concerns only clients that send no client id, as few do';
    report.warn('EVENT_COLUMNS', select, message, 'Output client_id');
  }
}
