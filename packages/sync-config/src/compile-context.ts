import type { TableSchema } from '@sluice/model';
import type { Diagnostics } from './diagnostics.ts';
import type { Grammar } from './sql/grammar.ts';
import type { Dialect } from './values/dialect.ts';

/** What every part of the compiler needs. */
export interface CompileContext {
  readonly diagnostics: Diagnostics;
  readonly grammar: Grammar;
  readonly dialect: Dialect;
  readonly edition: number;
  readonly defaultSchema: string;
  readonly sourceSchema: readonly TableSchema[] | undefined;
}
