import type { SqliteValue } from '@sluice/model';
import type { Span } from '../diagnostics.ts';

/** Source number of the request's data: its columns are the names of `RequestData`. */
export const REQUEST_SOURCE = -1;
/** Source number of a bucket definition's parameters. */
export const BUCKET_SOURCE = -2;

/** A bound expression: names are resolved, syntax is reduced to operators of the dialect. */
export type Expression = Span &
  (
    | { readonly kind: 'constant'; readonly value: SqliteValue }
    | {
        readonly kind: 'column';
        readonly source: number;
        readonly column: string;
        /** A column of json_each. */
        readonly isElement?: boolean;
      }
    /** A fact about the table a row came from. */
    | { readonly kind: 'table fact'; readonly source: number; readonly fact: TableFact }
    | {
        readonly kind: 'call';
        /** `operator` or `function`: which of the dialect's tables `name` is in. */
        readonly table: 'operator' | 'function';
        readonly name: string;
        readonly args: readonly Expression[];
      }
  );

/** `suffix`: what a wildcard matched; `legacy suffix` is NULL without a wildcard. */
export type TableFact = 'schema' | 'name' | 'suffix' | 'legacy suffix';

export function constant(value: SqliteValue, span: Span): Expression {
  return { kind: 'constant', value, start: span.start, end: span.end };
}

export function operatorCall(name: string, args: readonly Expression[], span: Span): Expression {
  return { kind: 'call', table: 'operator', name, args, start: span.start, end: span.end };
}

/** Calls `visit` for every column reference and table fact. */
export function visitReferences(
  expression: Expression,
  visit: (source: number, column: string) => void,
): void {
  if (expression.kind === 'column') visit(expression.source, expression.column);
  else if (expression.kind === 'table fact') visit(expression.source, '');
  else if (expression.kind === 'call') {
    for (const arg of expression.args) visitReferences(arg, visit);
  }
}

/** The numbers of all sources that the expression reads. */
export function sourcesOf(expression: Expression): Set<number> {
  const sources = new Set<number>();
  visitReferences(expression, (source) => sources.add(source));
  return sources;
}

/**
 * A text that is equal for expressions of equal meaning, whatever their place in the file.
 * `nameSource` gives stable names to sources.
 */
export function canonicalText(
  expression: Expression,
  nameSource: (source: number) => string = String,
): string {
  switch (expression.kind) {
    case 'constant':
      return canonicalValue(expression.value);
    case 'column':
      return `${nameSource(expression.source)}.${JSON.stringify(expression.column)}`;
    case 'table fact':
      return `${nameSource(expression.source)}:${expression.fact}`;
    case 'call': {
      const args = expression.args.map((arg) => canonicalText(arg, nameSource));
      return `(${expression.table} ${expression.name} ${args.join(' ')})`;
    }
  }
}

function canonicalValue(value: SqliteValue): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return `real ${value}`;
  if (typeof value === 'object') return `blob ${Buffer.from(value).toString('hex')}`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
