import { matchesPattern } from '@sluice/model';
import {
  isWriteCheckpointEvent,
  type CompiledEvent,
  type EventQuery,
} from '../events/event-query.ts';
import { linkEventEvaluator } from '../events/link-event-evaluator.ts';
import { writeCheckpointOf } from '../events/write-checkpoint.ts';
import { formatValue } from '../expr/format-expression.ts';
import type { RowToExplain } from './explain-row.ts';
import type { RowEvent } from './explanation.ts';
import { whyNotSelected } from './why-not-selected.ts';

/** Says of every event that reads the table what it makes of the row. */
export function explainEvents(
  events: readonly CompiledEvent[],
  subject: Omit<RowToExplain, 'prefixes'>,
): RowEvent[] {
  return events
    .flatMap(({ payloads }) => payloads)
    .filter(({ pattern }) => matchesPattern(pattern, subject.table))
    .map((payload) => explainPayload(payload, subject));
}

function explainPayload(query: EventQuery, subject: Omit<RowToExplain, 'prefixes'>): RowEvent {
  const { table, row, context } = subject;
  const { event } = query;
  const only = { name: event, payloads: [query] };
  const evaluated = linkEventEvaluator([only], table, context)?.evaluate(row);
  const error = evaluated?.errors[0];
  if (error !== undefined) {
    const whyNot = [{ kind: 'error', message: error.message }] as const;
    return { event, payload: [], result: { kind: 'left out', whyNot } };
  }
  const emitted = evaluated?.events[0];
  if (emitted === undefined) {
    const whyNot = whyNotSelected(query, [], subject);
    return { event, payload: [], result: { kind: 'left out', whyNot } };
  }
  const payload = [...emitted.payload].map(([sql, value]) => ({ sql, value: formatValue(value) }));
  if (!isWriteCheckpointEvent(event)) return { event, payload, result: { kind: 'unused' } };
  const made = writeCheckpointOf(emitted);
  if (typeof made === 'object') {
    const { user, value } = made;
    return { event, payload, result: { kind: 'write checkpoint', user, value: String(value) } };
  }
  const message = made ?? 'checkpoint is NULL or 0';
  return { event, payload, result: { kind: 'no write checkpoint', message } };
}
