import { AppError } from '@sluice/base';
import type { TablePattern } from '@sluice/model';
import type { SourceCheck } from '@sluice/source';
import { counted } from '../terminal/text.ts';
import { openSource, type SourceTarget } from './open-source.ts';
import { fixesOf } from './print-checks.ts';

export interface CheckOptions {
  /** The tables that a sync config reads; none: only the database as such is checked. */
  readonly patterns: readonly TablePattern[];
  /** Runs one statement with the same role; absent: nothing is fixed. */
  readonly fixWith?: ((statement: string) => Promise<unknown>) | undefined;
}

/** Checks a database; with `fixWith` first does what it can about the problems, and says so. */
export async function checkSource(
  target: SourceTarget,
  { patterns, fixWith }: CheckOptions,
): Promise<readonly SourceCheck[]> {
  await using source = openSource(target);
  const checks = await source.check(patterns);
  const fixes = fixWith === undefined ? [] : fixesOf(checks);
  if (fixWith === undefined || fixes.length === 0) return checks;
  for (const statement of fixes) await fixWith(statement);
  const done: SourceCheck = {
    name: 'fixed',
    status: 'warning',
    message: `Ran ${counted(fixes.length, 'statement')} in the database:`,
    remedy: fixes,
  };
  return [done, ...(await source.check(patterns))];
}

/** The error that ends a command when problems remain. */
export function notReady(problems: readonly SourceCheck[], triedToFix: boolean): AppError {
  const restart = problems.some((check) => check.name === 'wal_level')
    ? ' A change of wal_level takes effect only after the database is restarted.'
    : '';
  const canFix = !triedToFix && fixesOf(problems).length > 0;
  const message = `The database is not ready for replication: ${counted(problems.length, 'problem')}, see above`;
  return new AppError('CLI_CHECKS_FAILED', message, {
    remedy: canFix
      ? `Do what is listed, or try again with --fix.${restart}`
      : `Do what is listed, then try again.${restart}`,
  });
}
