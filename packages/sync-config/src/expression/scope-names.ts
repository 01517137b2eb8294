import type { Fix, Reporter } from '../diagnostics.ts';
import type { NameSyntax } from '../expr/bind-context.ts';
import { constant, type Expression } from '../expr/expression.ts';
import { mistakenRequestName } from '../expr/request-names.ts';
import { quoteName } from '../sql/quote-name.ts';
import type { Identifier } from '../sql/syntax.ts';
import { didYouMean } from '../suggest.ts';
import type { ColumnRead, ExpressionScope } from './expression-scope.ts';

/** Resolves the names of an expression, and remembers what it reads. */
export class ScopeNames {
  readonly scope: ExpressionScope;
  readonly #report: Reporter;
  readonly #reads = new Map<string, ColumnRead>();
  readonly #rows: string[] = [];
  readonly #qualifiers = new Set<string>();

  constructor(scope: ExpressionScope, report: Reporter) {
    this.scope = scope;
    this.#report = report;
  }

  get reads(): readonly ColumnRead[] {
    return [...this.#reads.values()];
  }

  /** The words before dots; an empty one for columns without. */
  get qualifiers(): ReadonlySet<string> {
    return this.#qualifiers;
  }

  /** The row of a source number. */
  rowOf(source: number): string {
    return this.#rows[source] ?? '';
  }

  resolve(name: NameSyntax): Expression {
    const [first, second, third] = name.parts;
    if (first === undefined || third !== undefined) return this.#unknown(name);
    if (second === undefined) return this.#bare(name, first);
    const qualifier = first.name.toLowerCase();
    const row = this.scope.qualifiers.get(qualifier);
    if (row !== undefined) return this.column(name, row, qualifier, second);
    if (qualifier === this.scope.table.toLowerCase() && this.scope.bareRow !== undefined) {
      return this.column(name, this.scope.bareRow, '', second);
    }
    const mistaken = mistakenRequestName('stream', first, second);
    const why = this.scope.missing?.get(qualifier);
    if (mistaken === undefined || why !== undefined) return this.#unknown(name, why);
    this.#report.error('UNKNOWN_TABLE', name, mistaken.message, mistaken.fix);
    return constant(null, name);
  }

  /** A column of a row; one that does not exist is reported. */
  column(name: NameSyntax, row: string, qualifier: string, column: Identifier): Expression {
    this.checkColumn(column);
    this.read(row, qualifier, column.name);
    let source = this.#rows.indexOf(row);
    if (source === -1) source = this.#rows.push(row) - 1;
    return { kind: 'column', source, column: column.name, start: name.start, end: name.end };
  }

  read(row: string, qualifier: string, column: string): void {
    this.#qualifiers.add(qualifier);
    this.#reads.set(`${row}.${column}`, { row, column });
  }

  checkColumn(column: Identifier): void {
    const { columns, table } = this.scope;
    if (columns === undefined || columns.has(column.name)) return;
    const message = `There is no column ${column.raw} in ${table}`;
    this.#report.error('COLUMN_NOT_FOUND', column, message, columnFix(column, columns));
  }

  #bare(name: NameSyntax, column: Identifier): Expression {
    const { bareRow, qualifiers } = this.scope;
    if (bareRow !== undefined) return this.column(name, bareRow, '', column);
    const message = `There is no row that ${column.raw} could be a column of`;
    const [word] = qualifiers.keys();
    const fix =
      word === undefined ? 'Write a text in single quotes' : `Write ${word}.${column.raw}`;
    this.#report.error('UNKNOWN_TABLE', name, message, fix);
    return constant(null, name);
  }

  #unknown(name: NameSyntax, why?: string): Expression {
    const words = [...this.scope.qualifiers.keys()];
    const written = name.parts.map(({ raw }) => raw).join('.');
    const message = `There is no row that ${written} could belong to`;
    const known = words.length === 0 ? 'Only auth.user_id() and the like' : words.join(', ');
    this.#report.error('UNKNOWN_TABLE', name, message, why ?? `Known: ${known}`);
    return constant(null, name);
  }
}

function columnFix(column: Identifier, known: ReadonlySet<string>): string | Fix {
  const near = didYouMean(column, column.name, known, quoteName);
  if (near !== undefined) return near;
  if (column.quoted) {
    const text = `'${column.raw}'`;
    const edit = { start: column.start, end: column.end, text };
    return { text: `Write ${text} if it is a text`, edit };
  }
  return `Known: ${[...known].slice(0, 12).join(', ')}`;
}
