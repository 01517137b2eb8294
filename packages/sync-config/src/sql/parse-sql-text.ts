import type { Diagnostics, Reporter } from '../diagnostics.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import type { Grammar } from './grammar.ts';
import { parseQuery } from './parse-select.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import type { Identifier, SelectSyntax, SourceSyntax } from './syntax.ts';

export interface ParsedSqlText {
  readonly sql: string;
  readonly select: SelectSyntax;
  /** Reports problems by their place in the SQL text. */
  readonly report: Reporter;
}

/** Parses one SQL string of the file; reports and gives undefined when it cannot be read. */
export function parseSqlText(
  text: SqlText,
  diagnostics: Diagnostics,
  { edition, grammar }: { readonly edition: number; readonly grammar: Grammar },
): ParsedSqlText | undefined {
  const report = diagnostics.within((span) => text.toYaml(span));
  try {
    const { select, trailing } = parseQuery(text.text, grammar);
    if (trailing !== undefined) {
      const message = 'Only the first statement is used';
      // Edition 3 is lenient here, so that configs which work elsewhere deploy.
      if (edition >= 3) report.warn('SQL_SYNTAX', trailing, message, 'Remove the rest');
      else report.error('SQL_SYNTAX', trailing, 'Only one statement is allowed', 'Remove the rest');
    }
    if (select.distinct !== undefined && edition < 3) {
      const message = 'DISTINCT is not supported';
      report.error('UNSUPPORTED_CLAUSE', select.distinct, message, 'Remove DISTINCT');
    }
    return { sql: text.text, select, report };
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    report.error(error.code, error.span, error.message, error.fix);
    return undefined;
  }
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
  report.warn('UNQUOTED_UPPERCASE', identifier, message, `Write "${identifier.raw}" in quotes`);
}
