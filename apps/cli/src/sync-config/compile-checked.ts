import { ConfigError } from '@sluice/base';
import { compileSyncConfig, type CompileOptions, type SyncPlan } from '@sluice/sync-config';
import type { Screen } from '../terminal/screen.ts';
import { counted } from '../terminal/text.ts';
import { printDiagnostics } from './print-diagnostics.ts';

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
