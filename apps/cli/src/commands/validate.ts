import path from 'node:path';
import { AppError, ConfigError } from '@sluice/base';
import type { TableSchema } from '@sluice/model';
import { loadServiceConfig } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import type { SourceTarget } from '../database/open-source.ts';
import { readSourceSchema } from '../database/read-source-schema.ts';
import { findSyncConfig, readTextFile } from '../dev/dev-sync-config.ts';
import { checkFile, type CheckedFile } from '../sync-config/check-file.ts';
import { checkRules } from '../sync-config/check-rules.ts';
import { validationReport } from '../sync-config/json-report.ts';
import { printDiagnostics } from '../sync-config/print-diagnostics.ts';
import type { Screen } from '../terminal/screen.ts';
import { counted, shownPath } from '../terminal/text.ts';
import { findFolder } from './tail.ts';

export interface ValidateOptions {
  /** Whose tables and columns to check against. */
  readonly db?: string | undefined;
  /** The configuration of a service, whose source database is taken. */
  readonly config?: string | undefined;
  /** The folder of the `sluice dev` whose database is taken if no other is named. */
  readonly dir?: string | undefined;
  /** Whether warnings fail too. */
  readonly strict?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Whether to list where edition 4 would behave otherwise. */
  readonly exact?: boolean | undefined;
}

/**
 * Prints every problem of sync configs with its place; with a database also unknown names.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` on errors, and with `strict` on warnings.
 */
export async function validateCommand(
  context: CliContext,
  named: readonly string[],
  options: ValidateOptions,
): Promise<void> {
  const { screen, cwd } = context;
  const target =
    options.db ??
    (await configuredSource(context, options.config)) ??
    findFolder(context, options.dir)?.runningState()?.databaseUrl;
  const { defaultSchema, tables } = await readSourceSchema(target);
  const results: CheckedFile[] = [];
  for (const file of namedFiles(cwd, named)) {
    const text = await readTextFile(path.resolve(cwd, file));
    results.push(checkFile(file, text, { defaultSchema, sourceSchema: tables }));
  }
  const rules = await checkedRules(cwd, options.config, tables);
  if (rules !== undefined) results.push(rules);
  const failure = failureOf(results, options.strict === true);
  const schemaChecked = tables !== undefined;
  if (options.json) {
    const exact = options.exact === true;
    const report = validationReport(results, { ok: failure === undefined, schemaChecked, exact });
    screen.print(JSON.stringify(report, null, 2));
  } else {
    const isOnly = results.length === 1;
    for (const result of results) printResult(screen, result, { ...options, isOnly });
    if (!schemaChecked) {
      const hint =
        'Names were not checked against a database: add --db URL, or --config FILE, or start sluice dev';
      screen.print(screen.colors.dim(`  ${hint}`));
    }
  }
  if (failure !== undefined) throw failure;
}

function namedFiles(cwd: string, named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
  const found = findSyncConfig(cwd, { db: '' });
  if (found !== undefined) return [shownPath(cwd, found)];
  throw new AppError('CLI_USAGE', 'There is no sync config here, and none is named', {
    remedy: 'Name one: sluice validate sync-config.yaml',
  });
}

function printResult(
  screen: Screen,
  result: CheckedFile,
  { strict, exact, isOnly }: ValidateOptions & { readonly isOnly: boolean },
): void {
  const { colors } = screen;
  const { file, text, diagnostics, exactAdvice, errorCount, warningCount } = result;
  printDiagnostics(screen, text, diagnostics, file);
  if (exact) printDiagnostics(screen, text, exactAdvice, file);
  const found = [
    errorCount > 0 ? counted(errorCount, 'error') : '',
    warningCount > 0 ? counted(warningCount, 'warning') : '',
  ].filter((part) => part !== '');
  if (errorCount > 0 || (strict && warningCount > 0)) {
    // Of a single file the failure itself says it.
    if (!isOnly) screen.print(`${colors.red('✗')} ${file}: ${found.join(' and ')}`);
  } else {
    const what =
      result.ruleCount === undefined
        ? `${counted(result.definitionCount, 'definition')}, ${counted(result.tableCount, 'table')}`
        : `rules for ${counted(result.ruleCount, 'table')}`;
    const rest = found.length > 0 ? `; ${found.join(' and ')}` : '';
    screen.print(`${colors.green('✓')} ${file} is valid: ${what}${rest}`);
    for (const note of result.eventNotes) screen.print(colors.dim(`  ${note}`));
  }
  if (!exact && exactAdvice.length > 0) {
    const places = counted(exactAdvice.length, 'place');
    const hint = `${places} would behave otherwise in edition 4: --exact shows ${exactAdvice.length === 1 ? 'it' : 'them'}`;
    screen.print(colors.dim(`  ${hint}`));
  }
}

function failureOf(results: readonly CheckedFile[], strict: boolean): ConfigError | undefined {
  const errors = results.reduce((sum, { errorCount }) => sum + errorCount, 0);
  const warnings = results.reduce((sum, { warningCount }) => sum + warningCount, 0);
  if (errors === 0 && !(strict && warnings > 0)) return undefined;
  const [only, second] = results;
  const what = second === undefined ? (only?.file ?? '') : counted(results.length, 'file');
  const found = errors > 0 ? counted(errors, 'error') : counted(warnings, 'warning');
  const message = `${what} ${second === undefined ? 'has' : 'have'} ${found}, see above`;
  const remedy = 'Correct them and try again';
  return new ConfigError('CONFIG_SYNC_INVALID', message, { remedy });
}

/** The rules of `write_api` in the configuration of the service, when it has any. */
async function checkedRules(
  cwd: string,
  configPath: string | undefined,
  tables: readonly TableSchema[] | undefined,
): Promise<CheckedFile | undefined> {
  if (configPath === undefined) return undefined;
  const text = await readTextFile(path.resolve(cwd, configPath));
  return checkRules(configPath, text, tables);
}

async function configuredSource(
  { env, cwd }: CliContext,
  configPath: string | undefined,
): Promise<SourceTarget | undefined> {
  if (configPath === undefined) return undefined;
  const { source } = await loadServiceConfig({ env, cwd, configPath });
  if (source !== undefined) return source;
  throw new AppError('CLI_USAGE', `${configPath} names no source database`, {
    remedy: 'Add replication.connections to it, or name the database with --db URL',
  });
}
