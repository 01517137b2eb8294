import { ConfigError } from '@sluice/base';
import {
  compileSyncConfig,
  formatDiagnostic,
  type CompileOptions,
  type Diagnostic,
  type SyncPlan,
} from '@sluice/sync-config';
import type { Screen } from '../terminal/screen.ts';
import { counted } from '../terminal/text.ts';

/** Prints every diagnostic with its place, indented, in colour by severity. */
function printDiagnostics(
  screen: Screen,
  text: string,
  diagnostics: readonly Diagnostic[],
  fileName: string,
): void {
  const { colors } = screen;
  for (const diagnostic of diagnostics) {
    const paint = diagnostic.severity === 'error' ? colors.red : colors.yellow;
    const [head = '', ...rest] = formatDiagnostic(text, diagnostic, fileName).split('\n');
    screen.print(`  ${paint(head)}`);
    for (const line of rest) screen.print(`  ${line}`);
    screen.print();
  }
}

/**
 * Compiles a sync config and prints what is to be said about it.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` when it has errors.
 */
export function compileChecked(
  screen: Screen,
  text: string,
  options: CompileOptions & { readonly fileName: string },
): SyncPlan {
  const { plan, diagnostics } = compileSyncConfig(text, options);
  printDiagnostics(screen, text, diagnostics, options.fileName);
  const errorCount = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  if (plan !== undefined && errorCount === 0) return plan;
  throw new ConfigError(
    'CONFIG_SYNC_INVALID',
    `${options.fileName} has ${counted(errorCount, 'error')}, see above`,
    { remedy: 'Correct them and try again' },
  );
}
