import { loadServiceConfig, startService } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { untilAborted } from '../terminal/interrupt.ts';

export interface StartOptions {
  readonly config?: string | undefined;
  readonly configBase64?: string | undefined;
  readonly syncConfigBase64?: string | undefined;
}

/** Runs the service from a configuration file until SIGTERM or SIGINT. It logs for itself. */
export async function startCommand(
  { env, cwd, interrupt }: CliContext,
  options: StartOptions,
): Promise<void> {
  const config = await loadServiceConfig({
    env,
    cwd,
    configPath: options.config,
    configBase64: options.configBase64,
    syncConfigBase64: options.syncConfigBase64,
  });
  const service = await startService(config, {});
  await untilAborted(interrupt.signal);
  await service.stop();
}
