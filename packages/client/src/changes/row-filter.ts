import type { SqlParameter, SqlValue } from '../driver/contract.ts';
import type { KnownValues, TableChange } from './change-set.ts';
import { comparisonMayHold, type Affinity, type ComparisonOperator } from './sqlite-comparison.ts';

/**
 * Conditions that every row in the result of a query over one table fulfils: a row that does not, before a
 * change and after it, cannot change the result. Other conditions of the query may be missing here.
 */
export interface RowFilter {
  /** As in a `ChangeSet`. */
  readonly table: string;
  /** All of them hold for a row of the result. */
  readonly terms: readonly FilterTerm[];
}

export interface FilterTerm {
  /** In lower case. */
  readonly column: string;
  readonly affinity: Affinity;
  readonly test: FilterTest;
}

export type FilterTest =
  | { readonly kind: 'compare'; readonly operator: ComparisonOperator; readonly operand: Operand }
  | { readonly kind: 'in'; readonly operands: readonly Operand[] }
  | { readonly kind: 'is'; readonly operand: Operand }
  | { readonly kind: 'null'; readonly isNull: boolean };

/** INTEGER literals are bigints, REAL ones numbers. Parameters count from 0. */
export type Operand = { readonly literal: SqlValue } | { readonly parameter: number };

/** Whether a change may put rows into the result, take them out, or alter them there. True if in doubt. */
export function mayMatch(
  { terms }: RowFilter,
  { rows }: TableChange,
  parameters: readonly SqlParameter[],
): boolean {
  if (rows === 'many') return true;
  return rows.some(({ id, before, after }) =>
    [before, after].some((values) => {
      if (values === undefined) return false;
      return terms.every((term) => termMayHold(term, valueOf(term.column, id, values), parameters));
    }),
  );
}

function valueOf(column: string, id: string, values: KnownValues): SqlValue | undefined {
  return values.get(column) ?? (column === 'id' && !values.has('id') ? id : values.get(column));
}

function termMayHold(
  { affinity, test }: FilterTerm,
  value: SqlValue | undefined,
  parameters: readonly SqlParameter[],
): boolean {
  if (value === undefined) return true;
  const operand = (from: Operand) => operandValue(from, parameters);
  switch (test.kind) {
    case 'compare':
      return comparisonMayHold(affinity, value, test.operator, operand(test.operand));
    case 'in':
      return test.operands.some((from) => comparisonMayHold(affinity, value, '=', operand(from)));
    case 'is': {
      const wanted = operand(test.operand);
      if (wanted === null || Number.isNaN(wanted)) return value === null;
      return comparisonMayHold(affinity, value, '=', wanted);
    }
    case 'null':
      // What is told as NULL may be infinite, except as text.
      return test.isNull ? value === null : value !== null || affinity !== 'text';
  }
}

function operandValue(from: Operand, parameters: readonly SqlParameter[]): SqlValue | undefined {
  if ('literal' in from) return from.literal;
  const value = parameters[from.parameter];
  return typeof value === 'boolean' ? BigInt(value) : value;
}
