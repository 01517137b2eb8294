import type { Diagnostics, Reporter } from '../diagnostics.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import type { Grammar } from './grammar.ts';
import { parseQuery } from './parse-select.ts';
import { SqlSyntaxError, type SqlProblems } from './sql-syntax-error.ts';
import type { Identifier, SelectSyntax, SourceSyntax } from './syntax.ts';

export interface ParsedSqlText {
  readonly sql: string;
  readonly select: SelectSyntax;
  /** Whether all of it could be read; otherwise nothing is to be said about what seems missing. */
  readonly isComplete: boolean;
  /** Reports problems by their place in the SQL text. */
  readonly report: Reporter;
}

/** Parses one SQL string of the file; reports and gives undefined when it cannot be read. */
export function parseSqlText(
  text: SqlText,
  diagnostics: Diagnostics,
  { edition, grammar }: { readonly edition: number; readonly grammar: Grammar },
): ParsedSqlText | undefined {
  const report = diagnostics.within(text);
  const errorsBefore = diagnostics.errorCount;
  try {
    const { select, trailing } = parseQuery(text.text, grammar, problemsOf(text, report));
    const isComplete = diagnostics.errorCount === errorsBefore;
    if (trailing !== undefined) {
      const message = 'Only the first statement is used';
      // Edition 3 is lenient here, so that configs which work elsewhere deploy.
      const fix = { text: 'Remove the rest', edit: { ...trailing, text: '' } };
      if (edition >= 3) report.warn('SQL_SYNTAX', trailing, message, fix);
      else report.error('SQL_SYNTAX', trailing, 'Only one statement is allowed', fix);
    }
    if (select.distinct !== undefined && edition < 3) {
      const message = 'DISTINCT is not supported';
      const { start, end } = select.distinct;
      const text = 'Remove DISTINCT: every row is synced once anyway';
      const fix = { text, edit: { start, end, text: '' } };
      report.error('UNSUPPORTED_CLAUSE', select.distinct, message, fix);
    }
    return { sql: text.text, select, isComplete, report };
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    report.error(error.code, error.span, error.message, error.fix);
    return undefined;
  }
}

/** Where a YAML comment ends the query too early, that is what to repair. */
function problemsOf(text: SqlText, report: Reporter): SqlProblems {
  if (!text.isCutByComment) return report;
  const end = text.text.length;
  const fix = 'A # after a blank begins a comment in YAML: put the query below the key after a |';
  return {
    error: (code, span, message, other) =>
      report.error(code, span, message, span.end >= end ? fix : other),
  };
}

/** As `warnUnquotedCapitals`, for the names of a table in FROM. */
export function warnTableCapitals(
  { schema, table, alias }: Extract<SourceSyntax, { kind: 'table' }>,
  report: Reporter,
  edition: number,
): void {
  for (const name of [schema, table, alias]) {
    if (name !== undefined) warnUnquotedCapitals(name, report, edition);
  }
}

/** Editions 1 and 2 warn about capitals, which an unquoted name loses. */
export function warnUnquotedCapitals(
  identifier: Identifier,
  report: Reporter,
  edition: number,
): void {
  if (edition >= 3 || identifier.quoted || identifier.raw === identifier.name) return;
  const message = `The unquoted name ${identifier.raw} is read as ${identifier.name}`;
  const text = `"${identifier.raw}"`;
  const { start, end } = identifier;
  const fix = { text: `Write ${text}, or ${identifier.name}`, edit: { start, end, text } };
  report.warn('UNQUOTED_UPPERCASE', identifier, message, fix);
}
