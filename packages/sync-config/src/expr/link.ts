import { must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { Dialect, Evaluate, Operand } from '../values/dialect.ts';
import { EvaluationFailure } from '../values/failure.ts';
import type { Expression, TableFact } from './expression.ts';

/** Says where the values that an expression reads will stand. */
export interface SlotLayout {
  /** The index of a column's value; undefined when there is no such column, which reads as NULL. */
  slotOf(source: number, column: string): number | undefined;
  factOf?(source: number, fact: TableFact): SqliteValue;
}

/** Compiles an expression once into a closure over slot indexes. */
export function linkExpression(
  expression: Expression,
  dialect: Dialect,
  layout: SlotLayout,
): Evaluate {
  return link(expression, dialect, layout).evaluate;
}

function link(expression: Expression, dialect: Dialect, layout: SlotLayout): Operand {
  switch (expression.kind) {
    case 'constant':
      return constantOperand(expression.value);
    case 'table fact':
      return constantOperand(layout.factOf?.(expression.source, expression.fact) ?? null);
    case 'column': {
      const slot = layout.slotOf(expression.source, expression.column);
      if (slot === undefined) return constantOperand(null);
      return { evaluate: (slots) => slots[slot] ?? null, constant: undefined };
    }
    case 'call': {
      const table = expression.table === 'operator' ? dialect.operators : dialect.functions;
      const operator = must(table.get(expression.name), `the meaning of ${expression.name}`);
      const args = expression.args.map((arg) => link(arg, dialect, layout));
      return { ...fold(operator.build(args), args), json: operator.buildJson?.(args) };
    }
  }
}

function constantOperand(value: SqliteValue): Operand {
  return { evaluate: () => value, constant: value };
}

/** Computes now what depends on nothing; a failure stays one of the rows. */
function fold(evaluate: Evaluate, args: readonly Operand[]): Operand {
  if (args.length === 0 || args.some((arg) => arg.constant === undefined)) {
    return { evaluate, constant: undefined };
  }
  try {
    return constantOperand(evaluate([]));
  } catch (error) {
    if (error instanceof EvaluationFailure) return { evaluate, constant: undefined };
    throw error;
  }
}
