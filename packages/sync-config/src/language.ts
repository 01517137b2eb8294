import { POSTGRES_GRAMMAR, SQLITE_GRAMMAR, type Grammar } from './sql/grammar.ts';
import { createDefaultDialect } from './values/default-dialect.ts';
import type { Dialect } from './values/dialect.ts';
import { createSqliteDialect } from './values/sqlite/dialect.ts';

export interface LanguageOptions {
  readonly edition: number;
  readonly fixedJsonExtract: boolean;
  /** `unstable_sqlite_expression_engine`. */
  readonly sqliteExpressions: boolean;
}

/** How texts are read, and what their operators and functions mean. */
export interface Language {
  readonly edition: number;
  readonly grammar: Grammar;
  readonly dialect: Dialect;
}

/** The language of an edition: the one place that knows which edition has which parts. */
export function languageOf(options: LanguageOptions): Language {
  const { edition } = options;
  if (edition >= 4) {
    const dialect = createSqliteDialect({ functions: 'all' });
    return { edition, grammar: SQLITE_GRAMMAR, dialect };
  }
  const dialect = options.sqliteExpressions
    ? createSqliteDialect({ functions: 'edition 3' })
    : createDefaultDialect(options);
  return { edition, grammar: POSTGRES_GRAMMAR, dialect };
}
