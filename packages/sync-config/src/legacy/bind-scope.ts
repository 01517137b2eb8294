import type { CompileContext } from '../compile-context.ts';
import type { Reporter, Span } from '../diagnostics.ts';
import type { BindContext, NameSyntax } from '../expr/bind-context.ts';
import { bindExpression } from '../expr/bind.ts';
import { BUCKET_SOURCE, constant, operatorCall, type Expression } from '../expr/expression.ts';
import {
  bindRequestCall,
  LEGACY_REQUEST_FUNCTIONS,
  requestColumn,
  STREAM_REQUEST_FUNCTIONS,
} from '../expr/request-functions.ts';
import { mistakenRequestName } from '../expr/request-names.ts';
import { quoteName } from '../sql/quote-name.ts';
import {
  parseSqlText,
  warnTableCapitals,
  warnUnquotedCapitals,
  type ParsedSqlText,
} from '../sql/parse-sql-text.ts';
import type { ExprSyntax, Identifier, SelectSyntax, SourceSyntax } from '../sql/syntax.ts';
import {
  checkColumn,
  columnType,
  resolveTable,
  type TableReference,
} from '../tables/table-reference.ts';
import type { SqlText } from '../yaml/sql-text.ts';

/** Source number of the one table, or json_each, of a bucket definition's query. */
export const ROW = 0;
/** Source number of an array that is taken apart for a match. */
export const ELEMENT = 1;

/** A query of a bucket definition with its one source resolved. */
export interface LegacyQuery {
  readonly kind: LegacyQueryKind;
  readonly sql: string;
  readonly select: SelectSyntax;
  readonly isComplete: boolean;
  readonly report: Reporter;
  readonly source: LegacySource | undefined;
  bind(syntax: ExprSyntax): Expression;
}

export type LegacySource =
  | {
      readonly kind: 'table';
      readonly table: TableReference;
      readonly name: string;
      readonly hasAlias: boolean;
    }
  | { readonly kind: 'each'; readonly input: Expression; readonly name: string };

/**
 * `data` queries read `bucket.x` and no request data, `parameters` the other way round, and the
 * payloads of events neither.
 */
export type LegacyQueryKind = 'data' | 'parameters' | 'event';

/** Parses a query and resolves its FROM; undefined after a report when it cannot be used. */
export function openLegacyQuery(
  text: SqlText,
  kind: LegacyQueryKind,
  context: CompileContext,
): LegacyQuery | undefined {
  const parsed = parseSqlText(text, context.diagnostics, context);
  if (parsed === undefined) return undefined;
  const { select, report } = parsed;
  const [from, second] = select.from;
  if (second !== undefined) {
    const isEvent = kind === 'event';
    const message = `${isEvent ? 'Payloads' : 'Bucket definitions'} cannot join tables`;
    const fix = isEvent ? 'Write one payload per table' : 'Use streams (edition 3)';
    if (select.hasRefusedJoin !== true) report.error('UNSUPPORTED_CLAUSE', second, message, fix);
    checkOnly(parsed, kind, context);
    return undefined;
  }
  const unscoped = bindContext(parsed, kind, undefined, context);
  const source = from && openSource(from, kind, unscoped, context);
  if (from !== undefined && source === undefined) {
    checkOnly(parsed, kind, context);
    return undefined;
  }
  if (from === undefined && !parsed.isComplete) {
    checkOnly(parsed, kind, context);
    return undefined;
  }
  const scoped = bindContext(parsed, kind, source, context);
  advise(parsed, source, scoped, context);
  return { ...parsed, kind, source, bind: (syntax) => bindExpression(syntax, scoped) };
}

function advise(
  { select, report, sql }: ParsedSqlText,
  source: LegacySource | undefined,
  scope: BindContext,
  { advise, edition, fixedJsonExtract }: CompileContext,
): void {
  advise?.({
    report,
    sql,
    select,
    edition,
    fixedJsonExtract,
    condition: select.conditions.map((syntax) => bindExpression(syntax, scope))[0],
    values: select.columns.flatMap((column) =>
      column.kind === 'expr' ? [bindExpression(column.expr, scope)] : [],
    ),
    columnType: (id, column) =>
      source?.kind === 'table' && id === ROW ? columnType(source.table, column) : undefined,
    isElement: (id) => source?.kind === 'each' && id === ROW,
  });
}

/** Finds the further problems of a query whose FROM cannot be used: names may be anything. */
function checkOnly(parsed: ParsedSqlText, kind: LegacyQueryKind, context: CompileContext): void {
  const scope: BindContext = {
    ...bindContext(parsed, kind, undefined, context),
    resolveName: (name) => constant(null, name),
  };
  const { columns, conditions } = parsed.select;
  for (const column of columns) if (column.kind === 'expr') bindExpression(column.expr, scope);
  for (const condition of conditions) bindExpression(condition, scope);
}

function openSource(
  from: SourceSyntax,
  kind: LegacyQueryKind,
  scope: BindContext,
  context: CompileContext,
): LegacySource | undefined {
  const { report } = scope;
  if (from.kind === 'select') {
    const message = 'A subquery in FROM needs edition 3';
    report.error('UNSUPPORTED_CLAUSE', from, message, 'Use streams (edition 3)');
    return undefined;
  }
  if (from.kind === 'broken') return undefined;
  if (from.kind === 'table') {
    warnTableCapitals(from, report, context.edition);
    const table = resolveTable(from, { ...context, report });
    return {
      kind: 'table',
      table,
      name: (from.alias ?? from.table).name,
      hasAlias: from.alias !== undefined,
    };
  }
  const [input] = from.call.args;
  const name = from.call.name[0]?.name ?? '';
  if (name !== 'json_each' || input === undefined || from.call.args.length !== 1) {
    const message = 'Only json_each(array) is allowed in FROM';
    report.error('UNKNOWN_FUNCTION', from.call, message, 'Use json_each(value) or a table');
    return undefined;
  }
  if (kind !== 'parameters') {
    const what = kind === 'data' ? 'data query' : 'payload';
    const fix = kind === 'data' ? 'Take the array apart in a parameter query' : 'Name a table';
    report.error('UNSUPPORTED_CLAUSE', from, `A ${what} must read one table`, fix);
    return undefined;
  }
  return { kind: 'each', input: bindExpression(input, scope), name: from.alias?.name ?? name };
}

function bindContext(
  parsed: ParsedSqlText,
  kind: LegacyQueryKind,
  source: LegacySource | undefined,
  context: CompileContext,
): BindContext {
  const { report, sql } = parsed;
  const self: BindContext = {
    report,
    sql,
    grammar: context.grammar,
    dialect: context.dialect,
    edition: context.edition,
    specialFunctions: kind === 'parameters' ? LEGACY_REQUEST_FUNCTIONS : [],
    resolveName: (name) => resolveName(name, kind, source, report, context),
    isRowColumn: (expression) =>
      source?.kind === 'table' && expression.kind === 'column' && expression.source === ROW,
    resolveCall(call) {
      const functions = kind === 'event' ? ALL_REQUEST_FUNCTIONS : LEGACY_REQUEST_FUNCTIONS;
      const bound = bindRequestCall(call, self, functions);
      if (bound === undefined || kind === 'parameters') return bound;
      refuseRequestData(call, kind, report);
      return constant(null, call);
    },
  };
  return self;
}

const ALL_REQUEST_FUNCTIONS = [...LEGACY_REQUEST_FUNCTIONS, ...STREAM_REQUEST_FUNCTIONS];

function refuseRequestData(span: Span, kind: LegacyQueryKind, report: Reporter): void {
  const isEvent = kind === 'event';
  const message = `A ${isEvent ? 'payload' : 'data query'} cannot read the request`;
  const fix = 'Output the value in a parameter query and use bucket.<name> here';
  report.error('REQUEST_IN_DATA', span, message, isEvent ? undefined : fix);
}

function resolveName(
  name: NameSyntax,
  kind: LegacyQueryKind,
  source: LegacySource | undefined,
  report: Reporter,
  context: CompileContext,
): Expression {
  const column = name.parts.at(-1);
  const qualifier = name.parts.at(-2);
  if (column === undefined) return constant(null, name);
  for (const part of name.parts) warnUnquotedCapitals(part, report, context.edition);
  if (qualifier !== undefined && !isOfSource(name, qualifier, source)) {
    return resolveSpecial(name, qualifier, column, kind, source, report);
  }
  if (source === undefined) {
    const message = `There is no FROM that ${column.raw} could come from`;
    const { start, end, raw, quoted } = column;
    const fix = quoted
      ? { text: `Write '${raw}' if it is a text`, edit: { start, end, text: `'${raw}'` } }
      : 'Add FROM and the table';
    report.error('UNKNOWN_TABLE', name, message, fix);
    return constant(null, name);
  }
  return sourceColumn(name, column, source, report);
}

/** An alias hides the table's own name, its schema included. */
function isOfSource(
  name: NameSyntax,
  qualifier: Identifier,
  source: LegacySource | undefined,
): boolean {
  if (source?.name !== qualifier.name) return false;
  const schema = name.parts.at(-3);
  if (schema === undefined) return true;
  return source.kind === 'table' && !source.hasAlias && source.table.pattern.schema === schema.name;
}

function resolveSpecial(
  name: NameSyntax,
  qualifier: Identifier,
  column: Identifier,
  kind: LegacyQueryKind,
  source: LegacySource | undefined,
  report: Reporter,
): Expression {
  const span = { start: name.start, end: name.end };
  if (qualifier.name === 'bucket' && kind !== 'parameters') {
    return { kind: 'column', source: BUCKET_SOURCE, column: column.name, ...span };
  }
  const isToken = qualifier.name === 'token_parameters';
  if (isToken || qualifier.name === 'user_parameters') {
    if (kind !== 'parameters') {
      refuseRequestData(name, kind, report);
      return constant(null, name);
    }
    const json = requestColumn(isToken ? 'token_parameters' : 'connection', span);
    return operatorCall('parameter', [json, constant(column.name, column)], span);
  }
  const mistaken = mistakenRequestName('legacy', qualifier, column);
  if (mistaken !== undefined) {
    report.error('UNKNOWN_TABLE', qualifier, mistaken.message, mistaken.fix);
    return constant(null, name);
  }
  const known = source?.name;
  const schema = name.parts.at(-3);
  const written = schema === undefined ? qualifier.raw : `${schema.raw}.${qualifier.raw}`;
  const message = `There is no table ${written} in this query`;
  const { start } = schema ?? qualifier;
  const text = quoteName(known ?? '');
  const fix = { text: `Write ${text}.${column.raw}`, edit: { start, end: qualifier.end, text } };
  const place = schema ?? qualifier;
  report.error('UNKNOWN_TABLE', place, message, known === undefined ? 'Add FROM' : fix);
  return constant(null, name);
}

function sourceColumn(
  name: NameSyntax,
  column: Identifier,
  source: LegacySource,
  report: Reporter,
): Expression {
  const span = { start: name.start, end: name.end };
  if (source.kind === 'table') {
    if (column.name === '_table_suffix') {
      return { kind: 'table fact', source: ROW, fact: 'legacy suffix', ...span };
    }
    checkColumn(column, source.table, report);
  } else if (column.name !== 'value' && column.name !== 'key') {
    const message = `json_each has the columns value and key, not ${column.raw}`;
    report.error('UNKNOWN_TABLE', column, message, 'Write value');
  }
  return { kind: 'column', source: ROW, column: column.name, ...span };
}
