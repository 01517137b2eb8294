import type { OpId } from '@sluice/model';

/**
 * What one session does next, decided from its state alone (spec/protocol.md 2.5 - 2.11).
 *
 *     plan --line sent--> read ... read --> partial --> read ... read --> complete --> wait
 *      ^                    |  1000 ops sent, or data that needs a newer checkpoint      |
 *      +--------------------+------------------------------------------------- changed --+
 */
export interface SessionFacts {
  readonly tokenExpired: boolean;
  /** A keepalive or a warning is due. */
  readonly tokenLineDue: boolean;
  /** The checkpoint of the last `checkpoint` or `checkpoint_diff` line; undefined before. */
  readonly checkpoint: OpId | undefined;
  /** The newest checkpoint there is. */
  readonly newest: OpId;
  /** Something that concerns this session changed since it last looked. */
  readonly changed: boolean;
  /** Only a checkpoint above this one is of use: the state at this one could not be read. */
  readonly unusable: OpId | undefined;
  /** Whether `checkpoint` was completed. */
  readonly completed: boolean;
  /** Data sent so far makes a consistent state only at checkpoints from this one on (2.8). */
  readonly requires: OpId;
  /** Operations sent for `checkpoint`. */
  readonly opsSent: number;
  readonly supersedeAfterOps: number;
  /** Priority of the buckets being sent; undefined before the first of a checkpoint. */
  readonly priority: number | undefined;
  /** The next bucket to send, and whether there is anything to send of it. */
  readonly next: { readonly priority: number; readonly isUpToDate: boolean } | undefined;
}

export type Step =
  /** Say that the token has expired, and end. */
  | 'expire'
  | 'send-token-line'
  /** Find out what the newest checkpoint means for the client; send a line if it means something. */
  | 'plan'
  /** Send some operations of the next bucket. */
  | 'read'
  /** The next bucket needs nothing. */
  | 'skip'
  | 'complete-priority'
  | 'complete'
  /** Nothing to do until something changes. */
  | 'wait'
  /** Nothing to do until there is any newer checkpoint. */
  | 'wait-for-newer';

export function nextStep(facts: SessionFacts): Step {
  if (facts.tokenExpired) return 'expire';
  if (facts.tokenLineDue) return 'send-token-line';
  const canPlan = facts.unusable === undefined || facts.newest > facts.unusable;
  if (facts.checkpoint === undefined) return canPlan ? 'plan' : 'wait-for-newer';
  if (facts.completed) {
    if (!facts.changed) return 'wait';
    return canPlan ? 'plan' : 'wait-for-newer';
  }
  return stepOfDownload(facts, facts.checkpoint, canPlan);
}

function stepOfDownload(facts: SessionFacts, checkpoint: OpId, canPlan: boolean): Step {
  const isInvalid = facts.requires > checkpoint;
  if (isInvalid && canPlan && facts.newest >= facts.requires) return 'plan';
  if (facts.changed && canPlan && facts.opsSent >= facts.supersedeAfterOps) return 'plan';
  const { next, priority } = facts;
  const priorityEnds = next === undefined || (priority !== undefined && next.priority > priority);
  if (priorityEnds) {
    if (isInvalid) return 'wait-for-newer';
    return next === undefined ? 'complete' : 'complete-priority';
  }
  return next.isUpToDate ? 'skip' : 'read';
}
