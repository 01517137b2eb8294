import type { ExprSyntax } from '../sql/syntax.ts';
import { didYouMean } from '../suggest.ts';
import type { BindContext } from './bind-context.ts';
import { constant, operatorCall, type Expression } from './expression.ts';

const CAST_TYPES = new Set(['text', 'integer', 'real', 'numeric', 'blob']);

/** Types of PostgreSQL, by what their values are here. */
const SAME_TYPES: Readonly<Record<string, string>> = {
  int: 'integer', int2: 'integer', int4: 'integer', int8: 'integer', bigint: 'integer',
  smallint: 'integer', boolean: 'integer', bool: 'integer', varchar: 'text', char: 'text',
  uuid: 'text', date: 'text', timestamp: 'text', timestamptz: 'text', json: 'text', jsonb: 'text',
  float: 'real', float4: 'real', float8: 'real', double: 'real', decimal: 'numeric', bytea: 'blob',
}; // prettier-ignore

/** CAST and `::` of an operand that is bound already. */
export function bindCast(
  syntax: Extract<ExprSyntax, { kind: 'cast' }>,
  operand: Expression,
  { report }: BindContext,
): Expression {
  const type = syntax.type.name.toLowerCase();
  if (CAST_TYPES.has(type)) return operatorCall(`cast ${type}`, [operand], syntax);
  const same = SAME_TYPES[type];
  const fix =
    same === undefined
      ? (didYouMean(syntax.type, type, CAST_TYPES) ?? 'Use text, integer, real, numeric or blob')
      : {
          text: `Use ${same}`,
          edit: { start: syntax.type.start, end: syntax.type.end, text: same },
        };
  report.error('CAST_TYPE', syntax.type, `There is no cast to ${type}`, fix);
  return constant(null, syntax);
}
