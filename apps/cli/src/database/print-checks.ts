import type { SourceCheck } from '@sluice/source';
import type { Screen } from '../terminal/screen.ts';

/** Prints each point with what to run where; good ones only with `all`. */
export function printChecks(
  screen: Screen,
  checks: readonly SourceCheck[],
  options: { readonly all: boolean },
): void {
  const { colors } = screen;
  const marks = {
    ok: colors.green('✓'),
    warning: colors.yellow('!'),
    problem: colors.red('✗'),
  };
  for (const check of checks) {
    if (check.status === 'ok' && !options.all) continue;
    screen.print(`  ${marks[check.status]} ${check.message} ${colors.dim(`(${check.name})`)}`);
    for (const line of check.remedy) screen.print(`      ${colors.cyan(line)}`);
  }
}

export function problemsOf(checks: readonly SourceCheck[]): readonly SourceCheck[] {
  return checks.filter((check) => check.status === 'problem');
}

/** What `--fix` would run, in order. */
export function fixesOf(checks: readonly SourceCheck[]): readonly string[] {
  return checks.flatMap((check) => (check.status === 'ok' ? [] : (check.fix ?? [])));
}
