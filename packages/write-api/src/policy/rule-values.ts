import type { JsonObject } from '@sluice/base';
import type { ExpressionValues } from '@sluice/sync-config';
import type { Caller, RowValues } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';

/** What the names in a rule mean. A row that is missing has NULL in all columns. */
export interface RuleRows {
  readonly old: RowValues | undefined;
  readonly new: RowValues | undefined;
  /** Of columns without a word in front. */
  readonly row: RowValues | undefined;
}

/** What a rule may look at besides rows. */
export interface RuleWorld {
  readonly caller: Caller;
  readonly metadata: string | undefined;
  /** For rules with subqueries. */
  readonly transaction: WriteTransaction;
  readonly now: Date;
  readonly uuid: () => string;
}

export function ruleValues(rows: RuleRows, world: RuleWorld): ExpressionValues {
  const { caller, metadata, now, uuid } = world;
  return {
    row: (name) => (name === 'old' ? rows.old : name === 'new' ? rows.new : rows.row),
    claims: claimsOf(caller),
    metadata: metadata ?? null,
    clientId: caller.clientId ?? null,
    now,
    uuid,
  };
}

/** The claims with `sub`, which `auth.user_id()` reads, as the token has it. */
export function claimsOf({ claims, userId }: Caller): JsonObject {
  return { sub: userId, ...claims } as JsonObject;
}
