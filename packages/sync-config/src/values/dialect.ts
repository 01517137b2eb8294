import type { SqliteValue } from '@sluice/model';

/** A compiled expression: reads the slots it was linked to. Throws only `EvaluationFailure`. */
export type Evaluate = (slots: readonly SqliteValue[]) => SqliteValue;

/** What an operator knows of an operand when it is compiled. */
export interface Operand {
  readonly evaluate: Evaluate;
  /** The value, when it is the same for every row. */
  readonly constant: SqliteValue | undefined;
  /**
   * The value as JSON text, NULL for NULL, where the value may be JSON already, as that of
   * `json('[1]')` is; JSON functions quote all others. Source: values/sqlite/json-subtype.ts.
   */
  readonly json?: Evaluate | undefined;
}

/** One operator or function, compiled by closing over its operands. */
export interface Operator {
  readonly minArgs: number;
  readonly maxArgs: number;
  build(args: readonly Operand[]): Evaluate;
  /** `Operand.json` of the result; undefined when it is never JSON. */
  buildJson?(args: readonly Operand[]): Evaluate | undefined;
}

/**
 * The meaning of values: everything in which editions and SQLite itself may differ.
 *
 * The binder turns syntax into names of operators; only a dialect knows what they do. Another
 * dialect with the same names gives the language other semantics, without touching anything else.
 */
export interface Dialect {
  /** Goes into the plan's hash. */
  readonly name: string;
  /** `=`, `and`, `cast text`, `->>` ...: what syntax compiles to. */
  readonly operators: ReadonlyMap<string, Operator>;
  /** What a query may call, by lower-case name. */
  readonly functions: ReadonlyMap<string, Operator>;
  isTrue(value: SqliteValue): boolean;
}
