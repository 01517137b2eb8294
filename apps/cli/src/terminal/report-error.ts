import { AppError } from '@sluice/base';
import { CommanderError } from 'commander';
import type { Screen } from './screen.ts';

/** What a user is told about a failure: what happened, its code, what to do. */
interface ErrorReport {
  readonly message: string;
  readonly code: string;
  readonly remedy: string;
}

function errorReport(error: unknown): ErrorReport {
  if (error instanceof AppError) {
    return { message: error.message, code: error.code, remedy: error.remedy };
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
    return {
      message: message.charAt(0).toUpperCase() + message.slice(1),
      code: 'CLI_USAGE',
      remedy: 'See sluice --help, or sluice <command> --help',
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    message: message || 'Something failed without saying what',
    code: 'INTERNAL_BUG',
    remedy: 'Run it again with --verbose and report what it prints',
  };
}

/** One paragraph; with `verbose` also the stack traces of the error and of what caused it. */
export function printError(screen: Screen, error: unknown, verbose: boolean): void {
  const { colors } = screen;
  const { message, code, remedy } = errorReport(error);
  screen.setStatus(undefined);
  const [head = '', ...details] = message.split('\n');
  screen.print(`${colors.red('✗')} ${colors.bold(head)} ${colors.dim(`(${code})`)}`);
  for (const line of details) screen.print(line === '' ? '' : `  ${line}`);
  if (details.length > 0) screen.print();
  for (const line of remedy.split('\n')) screen.print(`  ${line}`);
  if (!verbose) return;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    screen.print(colors.dim(at.stack ?? String(at)));
  }
}
