import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from '../../dialect.ts';
import { EvaluationFailure } from '../../failure.ts';
import { operandAt } from '../../shapes.ts';
import { sqliteRealText } from '../real-text.ts';
import { quoteJsonText } from './json-text.ts';

/**
 * SQLite marks some texts as JSON, so that `json_array(json('[1]'))` is `[[1]]` and
 * `json_array('[1]')` is `["[1]"]`. The mark comes from JSON functions, stays with a value that is
 * only chosen among others, and is lost by anything that makes a new value of it.
 *
 * Our values have no marks. Instead an operand that may have one says how it is written as JSON
 * (`Operand.json`), and the operators that keep marks pass that on.
 */

/** How an operand stands in the JSON that `json_array` and the like make. */
export function writeAsJson(operand: Operand): (slots: readonly SqliteValue[]) => string {
  const { evaluate, json } = operand;
  if (json === undefined) return (slots) => writeValue(evaluate(slots));
  return (slots) => writeJson(json(slots));
}

/** For an operator whose texts are always JSON. */
export function alwaysJson(operator: Operator): Operator {
  return { ...operator, buildJson: (args) => operator.build(args) };
}

/**
 * The JSON of an unmarked value.
 *
 * @throws EvaluationFailure for a BLOB.
 */
export function writeValue(value: SqliteValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoteJsonText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'object') throw new EvaluationFailure('JSON cannot hold a BLOB');
  if (Number.isFinite(value)) return sqliteRealText(value);
  return value > 0 ? '9.0e+999' : '-9.0e+999';
}

/** What `Operand.json` gives is a text, or NULL for NULL. */
function writeJson(json: SqliteValue): string {
  return typeof json === 'string' ? json : 'null';
}

/** Makes the operators of a dialect that keep the mark of JSON keep it. */
export function withJsonSubtype(
  operators: Iterable<readonly [string, Operator]>,
): Map<string, Operator> {
  const result = new Map<string, Operator>();
  for (const [name, operator] of operators) {
    const keeping = keeperOf(name);
    result.set(name, keeping === undefined ? operator : keepJson(operator, keeping));
  }
  return result;
}

/** Whether the result of an operator or function may be marked because one of its arguments is. */
export function keepsJson(name: string): boolean {
  return keeperOf(name) !== undefined;
}

function keeperOf(name: string): BuildJson | undefined {
  const plain = name.replace(/ (?:binary|nocase|rtrim)$/, '');
  return Object.hasOwn(KEEPERS, plain) ? KEEPERS[plain] : undefined;
}

type BuildJson = (args: readonly Operand[], operator: Operator) => Evaluate;

function keepJson(operator: Operator, buildJson: BuildJson): Operator {
  const hasJson = (args: readonly Operand[]) => args.some((arg) => arg.json !== undefined);
  return {
    ...operator,
    buildJson: (args) => (hasJson(args) ? buildJson(args, operator) : undefined),
  };
}

/** The operator itself chooses, among the JSON of its operands. */
function choosing(isResult: (index: number, count: number) => boolean): BuildJson {
  return (args, operator) =>
    operator.build(args.map((arg, i) => (isResult(i, args.length) ? asJsonOperand(arg) : arg)));
}

/** An operand whose value is the JSON of another's; NULL stays, as operators look for it. */
function asJsonOperand(operand: Operand): Operand {
  const { evaluate, json } = operand;
  if (json !== undefined) return { evaluate: json, constant: undefined };
  const write: Evaluate = (slots) => {
    const value = evaluate(slots);
    return value === null ? null : writeValue(value);
  };
  return { evaluate: write, constant: undefined };
}

/** The operator compares the values; its result is one of them. */
function comparing(prefersLast: boolean): BuildJson {
  return (args, operator) => {
    const evaluate = operator.build(args);
    return (slots) => {
      const value = evaluate(slots);
      if (typeof value !== 'string') return value === null ? null : writeValue(value);
      const isChosen = (arg: Operand) => arg.evaluate(slots) === value;
      const chosen = prefersLast ? args.findLast(isChosen) : args.find(isChosen);
      return chosen === undefined ? writeValue(value) : writeAsJson(chosen)(slots);
    };
  };
}

/** A text stays what it was; a number becomes a new text. */
const castToText: BuildJson = (args, operator) => {
  const evaluate = operator.build(args);
  const source = operandAt(args, 0);
  const write = writeAsJson(source);
  return (slots) => {
    if (typeof source.evaluate(slots) === 'string') return write(slots);
    const value = evaluate(slots);
    return value === null ? null : writeValue(value);
  };
};

const first: BuildJson = choosing((index) => index === 0);
const all: BuildJson = choosing(() => true);
/** Arguments: condition, result, condition, result ..., and what else when their number is odd. */
const branches: BuildJson = choosing((i, count) => i % 2 === 1 || i === count - 1);
/** Arguments: operand, then how, when, then for each branch, and what else when one is left. */
const ofOperand: BuildJson = choosing((i, count) => i > 0 && (i % 3 === 0 || i === count - 1));

const KEEPERS: Readonly<Record<string, BuildJson>> = {
  'case': branches,
  'case by': ofOperand,
  'iif': branches,
  'if': branches,
  'coalesce': all,
  'ifnull': all,
  'likely': first,
  'unlikely': first,
  'likelihood': first,
  'collate': first,
  'unary +': first,
  'cast text': castToText,
  'nullif': comparing(false),
  'min': comparing(true),
  'max': comparing(false),
}; // prettier-ignore
