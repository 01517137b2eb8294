import { SourceError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';

/** What pg_replication_slots says of one slot; fields that a version lacks are null. */
export interface SlotState {
  readonly name: string;
  readonly plugin: string | null;
  readonly database: string | null;
  /** The process that reads from it now. */
  readonly activePid: number | null;
  readonly walStatus: string | null;
  /** From PostgreSQL 17 on. */
  readonly invalidationReason: string | null;
  /** PostgreSQL 16 and newer, on a standby. */
  readonly conflicting: boolean;
  /** Everything before has been given up by the reader. */
  readonly confirmedFlush: SourcePosition | null;
}

/**
 * Throws unless the slot can be taken up by a reader that has everything up to `after`.
 *
 * @throws SourceError `SOURCE_SLOT_LOST`: it is gone, not ours, or changes after `after` are missing;
 *   `SOURCE_SLOT_IN_USE`: another process reads from it.
 */
export function assertUsable(
  name: string,
  slot: SlotState | undefined,
  expected: { readonly database: string; readonly after: SourcePosition },
): asserts slot is SlotState {
  const lost = reasonForLoss(slot, expected);
  if (lost !== undefined || slot === undefined) {
    throw new SourceError('SOURCE_SLOT_LOST', `Replication slot ${name} cannot be used: ${lost}`, {
      details: { slot: name, reason: lost, walStatus: slot?.walStatus },
    });
  }
  if (slot.activePid !== null) throw slotInUse(name, slot.activePid);
}

export function slotInUse(name: string, pid: number): SourceError {
  return new SourceError(
    'SOURCE_SLOT_IN_USE',
    `Replication slot ${name} is read by another process (server process ${pid})`,
    {
      details: { slot: name, pid },
      remedy: `Stop the other service, or run: SELECT pg_terminate_backend(${pid})`,
    },
  );
}

function reasonForLoss(
  slot: SlotState | undefined,
  expected: { readonly database: string; readonly after: SourcePosition },
): string | undefined {
  if (!slot) return 'it does not exist';
  if (slot.plugin !== 'pgoutput') return `its plugin is ${slot.plugin ?? 'none'}, not pgoutput`;
  if (slot.database !== expected.database) {
    return `it belongs to database ${slot.database ?? 'none'}, not ${expected.database}`;
  }
  if (slot.invalidationReason) return `it was invalidated (${slot.invalidationReason})`;
  if (slot.walStatus === 'lost') return 'the log that it needs was removed (wal_status is lost)';
  if (slot.conflicting) return 'it conflicts with recovery';
  const confirmed = slot.confirmedFlush;
  if (confirmed !== null && expected.after !== '' && expected.after < confirmed) {
    return `changes between ${expected.after} and ${confirmed} were given up already`;
  }
  return undefined;
}
