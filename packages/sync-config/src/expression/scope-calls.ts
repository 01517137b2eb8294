import { bindCall } from '../expr/bind-call.ts';
import type { BindContext } from '../expr/bind-context.ts';
import { bindExpression } from '../expr/bind.ts';
import { callName } from '../expr/call-name.ts';
import { constant, type Expression } from '../expr/expression.ts';
import { bindRequestCall } from '../expr/request-functions.ts';
import type { CallSyntax, ExprSyntax } from '../sql/syntax.ts';

/** Source number of what an evaluation brings besides rows and claims. */
export const WORLD_SOURCE = -3;

/** Request functions of an expression outside a sync config. */
const AUTH_FUNCTIONS: readonly string[] = [
  'auth.user_id',
  'auth.parameters',
  'auth.parameter',
  'request.user_id',
  'request.jwt',
];

/** Functions of `WORLD_SOURCE`, by name, and the column each reads. */
const WORLD_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['request.metadata', 'metadata'],
  ['request.client_id', 'client_id'],
  ['now', 'now'],
  ['current_timestamp', 'now'],
]);

export const SCOPE_FUNCTIONS: readonly string[] = [
  ...AUTH_FUNCTIONS.slice(0, 3),
  ...WORLD_FUNCTIONS.keys(),
  'uuid',
];

/** Which arguments of the date functions are time values. */
const TIME_VALUES: ReadonlyMap<string, readonly number[]> = new Map([
  ['date', [0]],
  ['time', [0]],
  ['datetime', [0]],
  ['julianday', [0]],
  ['unixepoch', [0]],
  ['strftime', [1]],
  ['timediff', [0, 1]],
]);
const UUID_NAMES = new Set(['uuid', 'gen_random_uuid']);

/** Binds what reads the request, the clock or chance; undefined for other functions. */
export class ScopeCalls {
  /** How many `uuid()` there are. */
  uuidCount = 0;

  bind(call: CallSyntax, context: BindContext): Expression | undefined {
    const name = callName(call);
    const column = WORLD_FUNCTIONS.get(name);
    if (column !== undefined) return this.#world(call, name, column, context);
    if (UUID_NAMES.has(name)) {
      return this.#world(call, name, `uuid ${this.uuidCount++}`, context);
    }
    return bindRequestCall(call, context, AUTH_FUNCTIONS) ?? bindDateOfNow(call, name, context);
  }

  #world(call: CallSyntax, name: string, column: string, context: BindContext): Expression {
    if (call.args.length === 0) return worldColumn(column, call);
    const edit = { start: call.start, end: call.end, text: `${name}()` };
    const fix = { text: `Write ${name}()`, edit };
    context.report.error('ARG_COUNT', call, `${name} takes no arguments`, fix);
    return constant(null, call);
  }
}

function worldColumn(column: string, span: { start: number; end: number }): Expression {
  return { kind: 'column', source: WORLD_SOURCE, column, start: span.start, end: span.end };
}

/** `datetime('now', ...)`: the time that means now becomes the time that the evaluation brings. */
function bindDateOfNow(
  call: CallSyntax,
  name: string,
  context: BindContext,
): Expression | undefined {
  const places = TIME_VALUES.get(name);
  if (places === undefined) return undefined;
  const [first = 0] = places;
  const args: ExprSyntax[] = [...call.args];
  const isImplied = name !== 'timediff' && args.length === first;
  if (isImplied) args.push({ kind: 'literal', value: 'now', start: call.end, end: call.end });
  if (!args.some(isNow)) return undefined;
  const bound = args.map((arg, i) =>
    isNow(arg) && places.includes(i) ? worldColumn('now', arg) : bindExpression(arg, context),
  );
  return bindCall({ ...call, args }, bound, context);
}

function isNow(arg: ExprSyntax): boolean {
  return (
    arg.kind === 'literal' && typeof arg.value === 'string' && arg.value.toLowerCase() === 'now'
  );
}
