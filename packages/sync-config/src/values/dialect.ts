import type { JsonObject } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { JsonElement } from './json-elements.ts';

/** A compiled expression: reads the slots it was linked to. Throws only `EvaluationFailure`. */
export type Evaluate = (slots: readonly SqliteValue[]) => SqliteValue;

/** What an operator knows of an operand when it is compiled. */
export interface Operand {
  readonly evaluate: Evaluate;
  /** The value, when it is the same for every row. */
  readonly constant: SqliteValue | undefined;
  /**
   * The value as JSON text, NULL for NULL, where the value may be JSON already, as that of
   * `json('[1]')` is; JSON functions quote all others. Source: values/sqlite/json/json-subtype.ts.
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
  /** Functions left out on purpose, with the reason. */
  readonly refusedFunctions: ReadonlyMap<string, string>;
  /**
   * Whether CAST gives its operand an affinity and COLLATE a collation that the comparisons around
   * it obey. The binder works them out; the operators that they need are the dialect's.
   */
  readonly hasAffinity: boolean;
  /** Whether `datetime('now')` and the like are errors, not NULL. */
  readonly refusesClock: boolean;
  isTrue(value: SqliteValue): boolean;
  /**
   * The rows of `json_each(value)`.
   *
   * @throws EvaluationFailure when the text is not JSON, or in mode `array` not an array.
   */
  elements(value: SqliteValue, mode: 'array' | 'each'): readonly JsonElement[];
  /** Claims or parameters as the JSON text that request functions read. */
  requestText(data: JsonObject): string;
}
