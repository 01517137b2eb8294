import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, sourcesOf } from '../expr/expression.ts';
import { openLegacyQuery, ROW, type LegacyQuery } from '../legacy/bind-scope.ts';
import { bindDataColumn, refuseBucketParameter } from '../legacy/data-column.ts';
import type { OutputColumn } from '../plan/queries.ts';
import type { EventDocument } from '../yaml/config-document.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import { patternsOverlap, type CompiledEvent, type EventQuery } from './event-query.ts';

/** The event whose payloads are write checkpoints, and the columns that make one. */
const WRITE_CHECKPOINTS = 'write_checkpoints';
const WRITE_CHECKPOINT_COLUMNS = ['user_id', 'checkpoint'];

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
  if (event === WRITE_CHECKPOINTS) checkWriteCheckpoint(columns, query);
  return {
    event,
    pattern,
    source: ROW,
    expansions: [],
    filter: bindFilter(query),
    keys: [],
    columns,
  };
}

function bindFilter(query: LegacyQuery): EventQuery['filter'] {
  const [condition] = query.select.conditions.map((syntax) => query.bind(syntax));
  if (condition === undefined || !sourcesOf(condition).has(BUCKET_SOURCE)) return condition;
  refuseBucketParameter(condition, query);
  return undefined;
}

function checkWriteCheckpoint(columns: readonly OutputColumn[], query: LegacyQuery): void {
  if (columns.some(({ kind }) => kind === 'star')) return;
  const names = columns.map((column) => (column.kind === 'value' ? column.name : ''));
  const missing = WRITE_CHECKPOINT_COLUMNS.filter((name) => !names.includes(name));
  if (missing.length === 0) return;
  const list = missing.join(' and ');
  const message = `A payload of ${WRITE_CHECKPOINTS} without ${list} makes no write checkpoint`;
  query.report.warn('EVENT_COLUMNS', query.select, message, `Output ${list}`);
}
