import type { SqliteValue } from '@sluice/model';
import type { Expression } from './expression.ts';
import { ANY_JSON, BLOB, INTEGER, REAL, TEXT, UNKNOWN, type ValueTypes } from './value-types.ts';

/** The types of a column; `UNKNOWN` where nothing is known of it. */
export type ColumnTypes = (source: number, column: string) => ValueTypes;

type Call = Extract<Expression, { kind: 'call' }>;
type Rule = ValueTypes | ((args: readonly ValueTypes[], call: Call) => ValueTypes);

/**
 * The types that the values of an expression may have, without evaluating it. What has no rule may
 * be anything. Only arithmetic with texts can give what is not named (REAL for `'1.5' + 1`): there
 * the spec's rule is kept, which ends as a text column. Source: spec/sync-config.md 17.3; results of
 * functions from 5.
 */
export function inferTypes(expression: Expression, columnTypes: ColumnTypes): ValueTypes {
  switch (expression.kind) {
    case 'constant':
      return typesOfValue(expression.value);
    case 'column':
      return columnTypes(expression.source, expression.column);
    case 'table fact':
      return TEXT;
    case 'call': {
      const rules = expression.table === 'operator' ? OPERATOR_RULES : FUNCTION_RULES;
      const name = expression.name.replace(/ (?:binary|nocase|rtrim)$/, '');
      const rule = rules.get(name) ?? rules.get(expression.name) ?? ANY_JSON | BLOB;
      if (typeof rule === 'number') return rule;
      const args = expression.args.map((arg) => inferTypes(arg, columnTypes));
      return rule(args, expression);
    }
  }
}

function typesOfValue(value: SqliteValue): ValueTypes {
  if (value === null) return UNKNOWN;
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'bigint') return INTEGER;
  return typeof value === 'number' ? REAL : BLOB;
}

const union = (types: readonly ValueTypes[]): ValueTypes =>
  types.reduce((all, one) => all | one, UNKNOWN);

const arithmetic: Rule = ([a = UNKNOWN, b = UNKNOWN]) => {
  if (a === INTEGER && b === INTEGER) return INTEGER;
  return a === REAL || b === REAL ? REAL : a | b;
};

/** The results of `WHEN … THEN` pairs that begin at `first`, and the ELSE behind them. */
const branches =
  (first: number): Rule =>
  (args) => {
    const pairs = args.slice(first);
    const hasElse = pairs.length % 2 === 1;
    return union(pairs.filter((_, i) => i % 2 === 1 || (hasElse && i === pairs.length - 1)));
  };

/** As `branches`, with an argument in front of each WHEN that says how it compares. */
const comparedBranches: Rule = (args) =>
  union(args.filter((_, i) => i > 0 && (i % 3 === 0 || i === args.length - 1)));

/** Whole seconds, unless a modifier asks for fractions or is only known per row. */
const unixEpoch: Rule = (_types, { args }) => {
  const modifiers = args.slice(1).map((arg) => (arg.kind === 'constant' ? arg.value : undefined));
  if (modifiers.some((value) => value === 'subsec' || value === 'subsecond')) return REAL;
  return modifiers.every((value) => value !== undefined) ? INTEGER : INTEGER | REAL;
};

/** The operators whose result is 1, 0 or NULL. */
const COMPARISONS = [
  '=', '!=', '<', '<=', '>', '>=', 'and', 'or', 'not', 'between',
  'is null', 'is not null', 'is true', 'is not true', 'is false', 'is not false',
  'in json', 'in each', 'in list', 'is', 'is not', 'like', 'glob', '&', '|', '<<', '>>', '~',
]; // prettier-ignore

const each = (names: readonly string[], rule: Rule): readonly (readonly [string, Rule])[] =>
  names.map((name) => [name, rule]);

const OPERATOR_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(COMPARISONS, INTEGER),
  ...each(['+', '-', '*', '/', '%'], arithmetic),
  ...each(['unary +', 'collate', 'column', 'affinity numeric', 'affinity text'], union),
  ['unary -', ([a = UNKNOWN]) => a],
  ['case by', comparedBranches],
  ...each(['min', 'max', 'nullif'], union),
  ['||', TEXT],
  ['->', TEXT],
  ['->>', ANY_JSON],
  ['parameter', ANY_JSON],
  ['case', branches(0)],
  ['case of', branches(1)],
  ['coalesce', union],
  ['cast text', TEXT],
  ['cast integer', INTEGER],
  ['cast real', REAL],
  ['cast numeric', INTEGER | REAL],
  ['cast blob', BLOB],
]);

const FUNCTION_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(['substr', 'trim', 'ltrim', 'rtrim', 'replace', 'concat', 'concat_ws', 'char'], TEXT),
  ...each(['quote', 'json', 'json_array', 'json_object', 'json_quote', 'json_type'], TEXT),
  ...each(['date', 'time', 'strftime', 'timediff'], TEXT),
  ...each(['octet_length', 'unicode', 'sign', 'like', 'glob'], INTEGER),
  ...each(['round', 'mod', 'sqrt', 'radians', 'degrees', 'pi', 'julianday'], REAL),
  ...each(['abs', 'ceil', 'ceiling', 'floor', 'trunc'], ([a = UNKNOWN]) => a),
  ...each(['coalesce', 'min', 'max'], union),
  ['nullif', ([a = UNKNOWN]) => a],
  ['unhex', BLOB],
  ['if', branches(0)],
  ...each(['upper', 'lower', 'substring', 'hex', 'base64', 'typeof'], TEXT),
  ...each(['json_keys', 'datetime', 'st_asgeojson', 'st_astext'], TEXT),
  ...each(['length', 'instr', 'json_array_length', 'json_valid'], INTEGER),
  ...each(['st_x', 'st_y'], REAL),
  ['uuid_blob', BLOB],
  ['ifnull', union],
  ['iif', branches(0)],
  ['json_extract', ANY_JSON],
  ['unixepoch', unixEpoch],
]);
