import type { TableSchema } from '@sluice/model';
import type { RowWriteCheckpoint, WriteCheckpointEvaluator } from '../contract.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import { writeCheckpointPayloads, type CompiledEvent } from './event-query.ts';
import { linkEventEvaluator } from './link-event-evaluator.ts';
import { writeCheckpointOf } from './write-checkpoint.ts';

/** Errors name this instead of a definition. */
export const WRITE_CHECKPOINTS = 'write checkpoints';

/** Compiles the payloads of a table that are write checkpoints; undefined when there are none. */
export function linkWriteCheckpointEvaluator(
  events: readonly CompiledEvent[],
  table: TableSchema,
  context: LinkContext,
): WriteCheckpointEvaluator | undefined {
  const name = WRITE_CHECKPOINTS;
  const all = { name, payloads: writeCheckpointPayloads(events) };
  const evaluator = linkEventEvaluator([all], table, context);
  if (evaluator === undefined) return undefined;
  return {
    evaluate(row) {
      const { events: evaluated, errors: failed } = evaluator.evaluate(row);
      const writeCheckpoints: RowWriteCheckpoint[] = [];
      const errors = failed.map(({ message }) => ({ definition: name, message }));
      for (const event of evaluated) {
        const made = writeCheckpointOf(event);
        if (typeof made === 'string') errors.push({ definition: name, message: made });
        else if (made !== undefined) writeCheckpoints.push(made);
      }
      return { writeCheckpoints, errors };
    },
  };
}
