import { AppError, type Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { Generation } from '@sluice/storage';
import { compileSyncConfig, formatDiagnostic, type SyncPlan } from '@sluice/sync-config';
import { syncConfigError } from './admin/compile-config.ts';
import type { ServiceConfig } from './config/service-config.ts';

/**
 * Compiles the sync config of the configuration file once before anything is started: errors end
 * the start unless `exit_on_error` is off (what was served before then goes on being served),
 * warnings are logged.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` that lists every error with its place.
 */
export function checkSyncConfig({ syncConfig }: ServiceConfig, logger: Logger): void {
  if (!syncConfig) return;
  const name = syncConfig.path ?? 'sync config';
  const { diagnostics } = compileSyncConfig(syncConfig.text, { defaultSchema: 'public' });
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity !== 'warning') continue;
    const text = formatDiagnostic(syncConfig.text, diagnostic, name);
    logger.warn('sync_config_warning', { code: diagnostic.code, message: text });
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const failure = syncConfigError(syncConfig.text, errors, name);
  if (syncConfig.exitOnError) throw failure;
  const { code, message, remedy } = failure;
  logger.error('sync_config_invalid', { code, message, remedy });
}

/** The plan of a generation that is to be served. @throws AppError `CONFIG_SYNC_INVALID`. */
export function planForGeneration(
  generation: Generation,
  source: ChangeSource | undefined,
): SyncPlan {
  const defaultSchema = source?.defaultSchema ?? 'public';
  const { plan } = compileSyncConfig(generation.configs.serving.text, { defaultSchema });
  if (plan) return plan;
  throw new AppError(
    'CONFIG_SYNC_INVALID',
    `The sync config of generation ${generation.id} no longer compiles`,
  );
}
