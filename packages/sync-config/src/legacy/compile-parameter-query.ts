import type { CompileContext } from '../compile-context.ts';
import { constant, operatorCall, REQUEST_SOURCE, type Expression } from '../expr/expression.ts';
import { isAnyAuthenticated, isAnyUnauthenticated } from '../expr/request-functions.ts';
import type { BucketQuery, Component, KeyValue, LookupQuery, Step } from '../plan/queries.ts';
import { warnUnquotedCapitals } from '../sql/parse-sql-text.ts';
import type { ColumnSyntax } from '../sql/syntax.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import { openLegacyQuery, ROW, type LegacyQuery, type LegacySource } from './bind-scope.ts';
import { rowSide } from './compile-data-query.ts';
import { alternativesOf, andFilters, readsOnly, type Alternative, type Match } from './match.ts';

/** A parameter query before the order of the definition's parameters is known. */
export interface ParameterQuery {
  readonly query: LegacyQuery;
  readonly outputs: ReadonlyMap<string, Expression>;
  /** From an output named `_priority`. */
  readonly priority: number | undefined;
  readonly isDangerous: boolean;
  /** Whether all outputs could be read. */
  readonly isComplete: boolean;
  readonly lookups: readonly LookupQuery[];
  /** The bucket query, given the order of the parameters. */
  link(definition: string, parameters: readonly string[], priority: number): readonly BucketQuery[];
}

/** Source number of the array on the request's side of `row IN request`. */
const REQUEST_ELEMENT = 2;

/** Compiles a parameter query. Source: spec/sync-config.md 8.1, 8.2, 8.5. */
export function compileParameterQuery(
  text: SqlText,
  definition: string,
  number: number,
  context: CompileContext,
): ParameterQuery | undefined {
  const query = openLegacyQuery(text, 'parameters', context);
  if (query === undefined) return undefined;
  const errorsBefore = context.diagnostics.errorCount;
  const { outputs, priority } = bindOutputs(query, context);
  const isComplete = context.diagnostics.errorCount === errorsBefore;
  const base = { query, outputs, priority, isComplete };
  const { source } = query;
  if (source?.kind === 'table') return { ...base, ...tableQuery(base, source, definition, number) };
  const condition = query.select.conditions.map((syntax) => query.bind(syntax))[0];
  const isDangerous =
    !hasSource(outputs.values(), source, true) && readsUnauthenticated(base, source, condition);
  return {
    ...base,
    isDangerous,
    lookups: [],
    link: (name, parameters, bucketPriority) => [
      requestQuery(outputs, source, condition, name, parameters, bucketPriority),
    ],
  };
}

function bindOutputs(
  query: LegacyQuery,
  context: CompileContext,
): { outputs: Map<string, Expression>; priority: number | undefined } {
  const outputs = new Map<string, Expression>();
  let priority: number | undefined;
  for (const column of query.select.columns) {
    const output = bindOutput(column, query, context);
    if (output === undefined) continue;
    if (output.name === '_priority') priority = literalPriority(output.value, query);
    else outputs.set(output.name, output.value);
  }
  return { outputs, priority };
}

function bindOutput(
  column: ColumnSyntax,
  query: LegacyQuery,
  context: CompileContext,
): { name: string; value: Expression } | undefined {
  const { report, source } = query;
  if (column.kind === 'star') {
    const message = '* is not allowed in a parameter query';
    report.error('STAR_IN_PARAMS', column, message, 'Name the columns');
    return undefined;
  }
  const value = query.bind(column.expr);
  const { alias, expr } = column;
  if (alias !== undefined) warnUnquotedCapitals(alias, report, context.edition);
  const name = alias?.name ?? (expr.kind === 'name' ? expr.parts.at(-1)?.name : undefined);
  if (name === undefined) {
    report.error('ALIAS_REQUIRED', column, 'An expression needs a name', 'Add AS name');
    return undefined;
  }
  const isComputed = value.kind !== 'column' && value.kind !== 'table fact';
  if (source?.kind === 'table' && isComputed && !readsOnly(value, REQUEST_SOURCE)) {
    const message = 'A parameter query cannot compute an output from the row';
    report.error('ROW_EXPR_IN_PARAMS', expr, message, 'Output the plain column');
  }
  return { name, value };
}

function literalPriority(value: Expression, query: LegacyQuery): number | undefined {
  const literal = value.kind === 'constant' ? value.value : undefined;
  if (typeof literal === 'bigint' && literal >= 0n && literal <= 3n) return Number(literal);
  query.report.error('PRIORITY', value, '_priority must be 0, 1, 2 or 3');
  return undefined;
}

/** A query without table: decided from the request alone. */
function requestQuery(
  outputs: ReadonlyMap<string, Expression>,
  source: LegacySource | undefined,
  condition: Expression | undefined,
  definition: string,
  parameters: readonly string[],
  priority: number,
): BucketQuery {
  const steps: Step[] = [];
  let filter = condition;
  if (source?.kind === 'each') {
    steps.push({ kind: 'each', expansion: { source: ROW, input: source.input, mode: 'each' } });
    if (condition !== undefined) steps.push({ kind: 'filter', condition });
    filter = undefined;
  }
  const component: Component = {
    steps,
    results: parameters.map((name, position) => ({
      position,
      value: nullableValue(outputs.get(name)),
    })),
  };
  const base = { definition, bucket: definition, priority, filter };
  return { ...base, parameterCount: parameters.length, components: [component] };
}

function nullableValue(expression: Expression | undefined): KeyValue {
  const value = expression ?? constant(null, { start: 0, end: 0 });
  return { kind: 'request', value, nullable: true };
}

type Base = Pick<ParameterQuery, 'query' | 'outputs' | 'priority'>;

/** A query over a table: its rows become lookups. */
function tableQuery(
  { query, outputs }: Base,
  source: Extract<LegacySource, { kind: 'table' }>,
  definition: string,
  number: number,
): Pick<ParameterQuery, 'isDangerous' | 'lookups' | 'link'> {
  const { select } = query;
  if (select.from[0]?.alias !== undefined) {
    const message = 'The table of a parameter query cannot have an alias';
    query.report.error('ALIAS_IN_PARAMS', select.from[0].alias, message, 'Remove the alias');
  }
  const id = `${definition}/${number}`;
  const alternatives = parameterAlternatives(query);
  const matches = [...(alternatives[0]?.matches ?? [])];
  if (matches.filter(([, match]) => match.parameterIsArray).length > 1) {
    const message = 'Only one row_value IN request_array is allowed in a query';
    query.report.error('MULTIPLE_EXPANSIONS', select, message);
  }
  const rowOutputs = [...outputs].filter(([, value]) => !readsOnly(value, REQUEST_SOURCE));
  const lookups = alternatives.map((alternative): LookupQuery => ({
    definition,
    id,
    pattern: source.table.pattern,
    source: ROW,
    filter: andFilters(alternative.filter, undefined),
    // Every alternative matches the same parameters; the first fixes their order.
    ...rowSide(matches.flatMap(([key]) => alternative.matches.get(key) ?? [])),
    outputs: rowOutputs.map(([, value]) => value),
    nullableOutputs: true,
  }));
  const requestSide = matches.map(([, match]) => match);
  const isDangerous =
    isAnyUnauthenticated([...requestSide.map((m) => m.parameter), ...outputs.values()]) &&
    !isAnyAuthenticated([
      ...requestSide.filter(isRealMatch).map((m) => m.parameter),
      ...outputs.values(),
    ]);
  return {
    isDangerous,
    lookups,
    link: (name, parameters, priority) => [
      lookupQuery(id, requestSide, rowOutputs, outputs, name, parameters, priority),
    ],
  };
}

function lookupQuery(
  id: string,
  matches: readonly Match[],
  rowOutputs: readonly (readonly [string, Expression])[],
  outputs: ReadonlyMap<string, Expression>,
  definition: string,
  parameters: readonly string[],
  priority: number,
): BucketQuery {
  const steps: Step[] = [];
  const keys = matches.map(({ parameter, parameterIsArray }): KeyValue => {
    if (!parameterIsArray) return { kind: 'request', value: parameter, nullable: false };
    const expansion = { source: REQUEST_ELEMENT, input: parameter, mode: 'array' } as const;
    steps.push({ kind: 'each', expansion });
    const { start, end } = parameter;
    const value = { kind: 'column', source: REQUEST_ELEMENT, column: 'value', start, end } as const;
    return { kind: 'request', value, nullable: false };
  });
  steps.push({ kind: 'lookup', id, keys });
  const names = rowOutputs.map(([name]) => name);
  const results = parameters.map((name, position) => {
    const index = names.indexOf(name);
    const value: KeyValue =
      index === -1 ? nullableValue(outputs.get(name)) : { kind: 'output', lookup: 0, index };
    return { position, value };
  });
  return {
    definition,
    bucket: definition,
    priority,
    filter: undefined,
    parameterCount: parameters.length,
    components: [{ steps, results }],
  };
}

function parameterAlternatives(query: LegacyQuery): readonly Alternative[] {
  const [condition] = query.select.conditions.map((syntax) => query.bind(syntax));
  if (condition === undefined) return [{ filter: undefined, matches: new Map() }];
  const isRow = (expression: Expression) => readsOnly(expression, ROW);
  const isParameter = (expression: Expression) => readsOnly(expression, REQUEST_SOURCE);
  return alternativesOf(condition, {
    report: query.report,
    isRow,
    isParameter,
    matchOf(term) {
      if (isParameter(term)) return truthMatch(term);
      if (term.kind !== 'call' || term.table !== 'operator') return undefined;
      const [left, right] = term.args;
      if (left === undefined || right === undefined) return undefined;
      if (term.name === '=') {
        if (isRow(left) && isParameter(right)) return match(right, left);
        if (isParameter(left) && isRow(right)) return match(left, right);
      }
      if (term.name === 'in json') {
        if (isParameter(left) && isRow(right)) return { ...match(left, right), rowIsArray: true };
        if (isRow(left) && isParameter(right)) {
          return { ...match(right, left), parameterIsArray: true };
        }
      }
      return undefined;
    },
  });
}

function match(parameter: Expression, row: Expression): Match {
  return { parameter, row, rowIsArray: false, parameterIsArray: false };
}

/** A condition on the request next to row conditions: a lookup key that is 1 when it holds. */
function truthMatch(term: Expression): Match {
  const no = operatorCall('not', [term], term);
  return match(operatorCall('not', [no], term), constant(1n, term));
}

/** Whether a match compares with a row's value, rather than being a mere filter. */
function isRealMatch({ row }: Match): boolean {
  return row.kind !== 'constant';
}

function hasSource(
  expressions: Iterable<Expression>,
  source: LegacySource | undefined,
  authenticated: boolean,
): boolean {
  return [...expressions].some((expression) => {
    const readsElement = source?.kind === 'each' && !readsOnly(expression, REQUEST_SOURCE);
    const inputs =
      readsElement && source.kind === 'each' ? [expression, source.input] : [expression];
    return authenticated ? isAnyAuthenticated(inputs) : isAnyUnauthenticated(inputs);
  });
}

function readsUnauthenticated(
  { outputs }: Base,
  source: LegacySource | undefined,
  condition: Expression | undefined,
): boolean {
  const inputs = source?.kind === 'each' ? [source.input] : [];
  const conditions = condition === undefined ? [] : [condition];
  return isAnyUnauthenticated([...outputs.values(), ...inputs, ...conditions]);
}
