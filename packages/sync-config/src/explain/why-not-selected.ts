import type { SqliteRow, SqliteValue, TableSchema } from '@sluice/model';
import { linkSelection, rowLayout, type LinkContext } from '../evaluate/row-selection.ts';
import type { Expression } from '../expr/expression.ts';
import { linkExpression } from '../expr/link.ts';
import { STREAM_WORDS } from '../expr/request-words.ts';
import type { RowSelection } from '../plan/queries.ts';
import { EvaluationFailure } from '../values/failure.ts';
import { keyText } from '../values/key-text.ts';
import { failedConditions, nameValue, type ExpressionScope } from './conditions.ts';
import type { RowReason } from './explanation.ts';

/** More elements of a row's arrays than this are not looked at; the first ones say why. */
const MAX_COMBINATIONS = 1000;

interface Subject {
  readonly table: TableSchema;
  readonly row: SqliteRow;
  readonly context: LinkContext;
}

type Slots = readonly SqliteValue[];

/**
 * Why a selection has nothing for a row on which it did not fail; at least one reason. `needed` are
 * values besides the keys that may not be NULL or BLOB.
 */
export function whyNotSelected(
  selection: RowSelection,
  needed: readonly Expression[],
  { table, row, context }: Subject,
): readonly RowReason[] {
  const layout = rowLayout(selection, table);
  const scope: ExpressionScope = { dialect: context.dialect, layout, words: STREAM_WORDS };
  const empty = firstEmptyExpansion(selection, table, row, context);
  if (empty !== undefined) {
    return [{ kind: 'no elements', input: nameValue(empty.input, row, scope) }];
  }
  const combinations = combinationsOf(selection, table, row, context);
  const elements = selection.expansions.length === 0 ? undefined : combinations.length;
  const reasons = combinations.flatMap((slots) => {
    const failed = failedConditions(selection.filter, slots, scope);
    return failed.length > 0
      ? failed.map((condition): RowReason => ({ kind: 'filter', condition, elements }))
      : unusableKeys([...selection.keys, ...needed], slots, scope);
  });
  return distinctReasons(reasons);
}

/** The selection's own walk over the row and its expansions, without filter and keys. */
function combinationsOf(
  selection: RowSelection,
  table: TableSchema,
  row: SqliteRow,
  context: LinkContext,
): readonly Slots[] {
  const combinations: Slots[] = [];
  const select = linkSelection({ ...selection, filter: undefined, keys: [] }, table, context);
  select(row, {
    add(_keys, slots) {
      if (combinations.length < MAX_COMBINATIONS) combinations.push([...slots]);
    },
  });
  return combinations;
}

function firstEmptyExpansion(
  selection: RowSelection,
  table: TableSchema,
  row: SqliteRow,
  context: LinkContext,
): RowSelection['expansions'][number] | undefined {
  return selection.expansions.find((_, i) => {
    const expansions = selection.expansions.slice(0, i + 1);
    return combinationsOf({ ...selection, expansions }, table, row, context).length === 0;
  });
}

function unusableKeys(
  keys: readonly Expression[],
  slots: Slots,
  scope: ExpressionScope,
): readonly RowReason[] {
  return keys
    .filter((key) => !isUsable(key, slots, scope))
    .map((key) => ({ kind: 'key', key: nameValue(key, slots, scope) }));
}

function isUsable(key: Expression, slots: Slots, { dialect, layout }: ExpressionScope): boolean {
  try {
    return keyText(linkExpression(key, dialect, layout)(slots)) !== undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

/** Of several elements that miss the same condition, the first speaks for all. */
function distinctReasons(reasons: readonly RowReason[]): readonly RowReason[] {
  const bySql = new Map<string, RowReason>();
  for (const reason of reasons) {
    const sql =
      reason.kind === 'filter' ? reason.condition.sql : reason.kind === 'key' ? reason.key.sql : '';
    const id = `${reason.kind} ${sql}`;
    if (!bySql.has(id)) bySql.set(id, reason);
  }
  return [...bySql.values()];
}
