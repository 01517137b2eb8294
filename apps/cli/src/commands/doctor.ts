import { AppError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import { sourceUrl } from '../database/connection-url.ts';
import { printChecks, problemsOf } from '../database/print-checks.ts';
import { checkSource, fixProblems, notReady } from '../dev/prepare-source.ts';
import { counted } from '../terminal/text.ts';

export interface DoctorOptions {
  readonly db: string;
  readonly fix?: boolean | undefined;
}

/** Prints every check of a database, good and bad. */
export async function doctorCommand({ screen }: CliContext, options: DoctorOptions): Promise<void> {
  const url = sourceUrl(options.db);
  const found = await checkSource(url);
  const checks = options.fix ? await fixProblems(url, found) : found;
  printChecks(screen, checks, { all: true });
  const problems = problemsOf(checks);
  if (problems.length > 0) throw notReady(problems, options.fix === true);
  const warnings = checks.filter((check) => check.status === 'warning').length;
  const rest = warnings === 0 ? '' : ` (${counted(warnings, 'warning')})`;
  screen.print(`\n${screen.colors.green('✓')} The database is ready for replication${rest}`);
}

export function neitherConfigNorDb(): AppError {
  return new AppError('CLI_USAGE', 'It is not said which database to look at', {
    remedy: 'Add --db URL, or --config FILE of a service',
  });
}
