import { unreachable } from '@sluice/base';
import type { RowWrite, WriteOp } from '../pipeline/row-write.ts';
import type { TransactionStep } from '../pipeline/table-steps.ts';
import { Rejection } from '../rejection.ts';
import { addCounters } from './add-counters.ts';
import type { ConflictRule } from '../config/write-api-config.ts';
import type { ConflictResolver } from './conflict-resolver.ts';
import { mergeFields } from './field-merge.ts';
import { rejectStale } from './reject-stale.ts';

/** A conflict rule at work. It never refuses what it was not made for: only `policy/` guards rows. */
export interface ConflictHandling {
  /** Undefined where writes go on as they are. */
  readonly step: TransactionStep | undefined;
  needsStored(op: WriteOp): boolean;
  /** Columns of which stored and sent values are compared or added; `all` of them. */
  readonly comparedColumns: readonly string[] | 'all';
  /** Columns that only the rule writes; clients send them to be compared. */
  readonly serverColumns: readonly string[];
}

/** @param resolver Of `function` rules; must be there for one. */
export function conflictHandling(
  rule: ConflictRule,
  resolver: ConflictResolver | undefined,
): ConflictHandling {
  const none = { comparedColumns: [], serverColumns: [] };
  const isAlways = () => true;
  switch (rule.kind) {
    case 'last_write_wins':
      return { ...none, step: undefined, needsStored: () => false };
    case 'field_merge':
      return {
        step: (write, stored) =>
          stored === undefined ? ofMissingRow(write) : mergeFields(write, stored),
        needsStored: (op) => op !== 'DELETE',
        comparedColumns: 'all',
        serverColumns: [],
      };
    case 'reject_stale':
      return {
        step: (write, stored) =>
          stored === undefined && write.op !== 'PUT'
            ? undefined
            : rejectStale(write, stored, rule.column),
        needsStored: isAlways,
        comparedColumns: [rule.column],
        serverColumns: [rule.column],
      };
    case 'counters':
      return {
        step: (write, stored) =>
          stored === undefined ? ofMissingRow(write) : addCounters(write, stored, rule.columns),
        needsStored: (op) => op === 'PATCH',
        comparedColumns: rule.columns,
        serverColumns: [],
      };
    case 'function':
      return {
        ...none,
        step: resolver && functionStep(rule.name, resolver),
        needsStored: isAlways,
      };
    default:
      return unreachable(rule);
  }
}

/** Deletes win: there is nothing to change. */
function ofMissingRow(write: RowWrite): RowWrite | undefined {
  return write.op === 'PATCH' ? undefined : write;
}

function functionStep(name: string, resolver: ConflictResolver): TransactionStep {
  return async (write, stored, caller, transaction) => {
    if (stored === undefined) return ofMissingRow(write);
    const decision = await resolver.resolve({ write, stored, caller, transaction });
    if (decision !== 'reject') return decision;
    const message = `The function ${name} refused this change of ${write.table}`;
    throw new Rejection('UPLOAD_STALE', message, { row: stored });
  };
}
