import { matchesPattern, type SqliteRow, type SqliteValue, type TableSchema } from '@sluice/model';
import type { EvaluatedEvent, EvaluationError, EventEvaluator } from '../contract.ts';
import { outputColumns } from '../evaluate/output-columns.ts';
import {
  linkSelection,
  rowLayout,
  type LinkContext,
  type Select,
} from '../evaluate/row-selection.ts';
import { linkExpression } from '../expr/link.ts';
import { EvaluationFailure } from '../values/failure.ts';
import type { Evaluate } from '../values/dialect.ts';
import type { CompiledEvent, EventQuery } from './event-query.ts';

interface LinkedPayload {
  readonly event: string;
  readonly select: Select;
  readonly columns: readonly (readonly [name: string, evaluate: Evaluate])[];
}

/** Compiles the payloads that read a table; undefined when none does. */
export function linkEventEvaluator(
  events: readonly CompiledEvent[],
  table: TableSchema,
  context: LinkContext,
): EventEvaluator | undefined {
  const payloads = events
    .flatMap((event) => event.payloads)
    .filter(({ pattern }) => matchesPattern(pattern, table))
    .map((query) => linkPayload(query, table, context));
  if (payloads.length === 0) return undefined;
  return { evaluate: (row) => evaluatePayloads(payloads, row) };
}

function linkPayload(query: EventQuery, table: TableSchema, context: LinkContext): LinkedPayload {
  const layout = rowLayout(query, table);
  return {
    event: query.event,
    select: linkSelection(query, table, context),
    columns: [...outputColumns(query, table)].map(
      ([name, value]) => [name, linkExpression(value, context.dialect, layout)] as const,
    ),
  };
}

function evaluatePayloads(
  payloads: readonly LinkedPayload[],
  row: SqliteRow,
): ReturnType<EventEvaluator['evaluate']> {
  const events: EvaluatedEvent[] = [];
  const errors: EvaluationError[] = [];
  for (const { event, select, columns } of payloads) {
    const add = () => {
      const values = columns.map(([name, evaluate]): [string, SqliteValue] => [
        name,
        evaluate(row),
      ]);
      events.push({ event, payload: new Map(values) });
    };
    try {
      select(row, { add });
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      errors.push({ definition: event, message: error.message });
    }
  }
  return { events, errors };
}
