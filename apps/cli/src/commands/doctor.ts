import { AppError } from '@sluice/base';
import type { TablePattern } from '@sluice/model';
import { loadServiceConfig } from '@sluice/server';
import type { SourceCheck } from '@sluice/source';
import { compileSyncConfig } from '@sluice/sync-config';
import type { CliContext } from '../cli-context.ts';
import { checkSource, notReady } from '../database/check-source.ts';
import { sourceUrl } from '../database/connection-url.ts';
import { wantedTables } from '../dev/prepare-source.ts';
import type { SourceTarget } from '../database/open-source.ts';
import { printChecks, problemsOf } from '../database/print-checks.ts';
import { runSql } from '../database/run-sql.ts';
import { counted } from '../terminal/text.ts';

export interface DoctorOptions {
  readonly db?: string | undefined;
  readonly config?: string | undefined;
  /** With `db`: whose tables to check; absent: one of the usual names in the working directory. */
  readonly syncConfig?: string | undefined;
  readonly fix?: boolean | undefined;
}

interface Patient {
  readonly target: SourceTarget;
  readonly patterns: readonly TablePattern[];
}

/** Prints every check of a database, good and bad. */
export async function doctorCommand(context: CliContext, options: DoctorOptions): Promise<void> {
  const { screen } = context;
  const { target, patterns } = await findPatient(context, options);
  const url = options.fix ? fixUrl(target) : undefined;
  const checks = await checkSource(target, {
    patterns,
    fixWith: url === undefined ? undefined : (statement) => runSql(url, statement),
  });
  const meaningful = patterns.length > 0 ? checks : checks.filter((check) => !isAboutTables(check));
  printChecks(screen, meaningful, { all: true });
  if (patterns.length === 0) {
    screen.print(screen.colors.dim('  No sync config is at hand, so its tables were not checked'));
  }
  const problems = problemsOf(checks);
  if (problems.length > 0) throw notReady(problems, options.fix === true);
  const warnings = checks.filter((check) => check.status === 'warning').length;
  const rest = warnings === 0 ? '' : ` (${counted(warnings, 'warning')})`;
  screen.print(`\n${screen.colors.green('✓')} The database is ready for replication${rest}`);
}

/** Without a sync config these say only that nothing is wrong with no table. */
function isAboutTables(check: SourceCheck): boolean {
  return check.name.startsWith('tables_');
}

async function findPatient(context: CliContext, options: DoctorOptions): Promise<Patient> {
  const { env, cwd } = context;
  if (options.db !== undefined) {
    return { target: sourceUrl(options.db), patterns: await wantedTables(context, options) };
  }
  if (options.config === undefined) {
    throw new AppError('CLI_USAGE', 'It is not said which database to look at', {
      remedy: 'Add --db URL, or --config FILE of a service',
    });
  }
  const config = await loadServiceConfig({ env, cwd, configPath: options.config });
  if (config.source === undefined) {
    throw new AppError('CLI_USAGE', `${options.config} names no source database`, {
      remedy: 'Add replication.connections to it',
    });
  }
  const text = config.syncConfig?.text;
  const plan =
    text === undefined ? undefined : compileSyncConfig(text, { defaultSchema: 'public' }).plan;
  return { target: config.source, patterns: plan?.tables ?? [] };
}

function fixUrl(target: SourceTarget): string {
  if (typeof target === 'string') return target;
  throw new AppError('CLI_USAGE', '--fix does not work with --config', {
    remedy: 'Name the database with --db URL, as a role that may change it',
  });
}
