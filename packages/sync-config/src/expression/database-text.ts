import type { Reporter, Span } from '../diagnostics.ts';
import { callName } from '../expr/call-name.ts';
import { childrenOf } from '../sql/expression-children.ts';
import type { CallSyntax, ExprSyntax, SelectSyntax, SourceSyntax } from '../sql/syntax.ts';
import type { RequestValue } from './expression-scope.ts';
import type { ScopeNames } from './scope-names.ts';

/** SQL for a database, with the values of the request where they stand in it. */
export type DatabaseText = readonly (string | RequestValue)[];

const REQUEST_VALUES: ReadonlyMap<string, RequestValue['kind']> = new Map([
  ['auth.user_id', 'user_id'],
  ['auth.parameters', 'claims'],
  ['auth.parameter', 'claim'],
  ['request.user_id', 'user_id'],
  ['request.jwt', 'claims'],
  ['request.metadata', 'metadata'],
  ['request.client_id', 'client_id'],
]);

export function hasSubquery(syntax: ExprSyntax): boolean {
  return (
    syntax.kind === 'select' || syntax.kind === 'exists' || childrenOf(syntax).some(hasSubquery)
  );
}

/**
 * The text of an expression with a subquery, which a database evaluates as it is: only the request's
 * values are taken out. Names outside of subqueries are checked; those inside are the database's.
 */
export function databaseText(
  sql: string,
  syntax: ExprSyntax,
  names: ScopeNames,
  report: Reporter,
): DatabaseText {
  const holes: { readonly span: Span; readonly value: RequestValue }[] = [];
  const visit = (part: ExprSyntax, isInside: boolean): void => {
    if (part.kind === 'call') {
      const value = requestValue(part, report);
      if (value !== undefined) {
        holes.push({ span: part, value });
        return;
      }
    }
    if (part.kind === 'name') readName(part, isInside, names);
    if (part.kind === 'select' || part.kind === 'exists') visitSelect(part.select);
    for (const child of childrenOf(part)) visit(child, isInside);
  };
  const visitSelect = (select: SelectSyntax): void => {
    for (const column of select.columns) if (column.kind === 'expr') visit(column.expr, true);
    for (const source of select.from) visitSource(source);
    for (const condition of select.conditions) visit(condition, true);
  };
  const visitSource = (source: SourceSyntax): void => {
    if (source.kind === 'select') visitSelect(source.select);
    if (source.kind === 'function') for (const arg of source.call.args) visit(arg, true);
  };
  visit(syntax, false);
  return cut(sql, holes);
}

function cut(
  sql: string,
  holes: readonly { readonly span: Span; readonly value: RequestValue }[],
): DatabaseText {
  const parts: (string | RequestValue)[] = [];
  let at = 0;
  for (const { span, value } of holes.toSorted((a, b) => a.span.start - b.span.start)) {
    parts.push(sql.slice(at, span.start), value);
    at = span.end;
  }
  return [...parts, sql.slice(at)];
}

function requestValue(call: CallSyntax, report: Reporter): RequestValue | undefined {
  const name = callName(call);
  const kind = REQUEST_VALUES.get(name);
  if (kind === undefined) return undefined;
  if (kind !== 'claim') return { kind };
  const [key] = call.args;
  if (key?.kind === 'literal' && typeof key.value === 'string') return { kind, key: key.value };
  const message = `${name} needs a text in single quotes where a subquery is`;
  report.error('ARG_COUNT', call, message, `Write ${name}('name')`);
  return { kind: 'claims' };
}

/** Remembers what may be a column of the rows; inside a subquery that cannot be told for sure. */
function readName(
  name: Extract<ExprSyntax, { kind: 'name' }>,
  isInside: boolean,
  names: ScopeNames,
): void {
  if (!isInside) {
    names.resolve(name);
    return;
  }
  const { columns, bareRow, qualifiers } = names.scope;
  const [first, second] = name.parts;
  if (first === undefined) return;
  const qualifier = first.name.toLowerCase();
  const isTable = second !== undefined && qualifier === names.scope.table.toLowerCase();
  // Its own table may stand in the subquery's FROM too, so what is no column of it is left alone.
  if (isTable && bareRow !== undefined && columns?.has(second.name) !== false) {
    names.read(bareRow, '', second.name);
    return;
  }
  const row = qualifiers.get(qualifier);
  if (row !== undefined && second !== undefined) {
    names.checkColumn(second);
    names.read(row, qualifier, second.name);
  } else if (second === undefined && bareRow !== undefined && columns?.has(first.name) !== false) {
    names.read(bareRow, '', first.name);
  } else if (second !== undefined && names.scope.missing?.has(qualifier) === true) {
    names.resolve(name);
  }
}
