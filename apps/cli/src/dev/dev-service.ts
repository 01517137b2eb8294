import type { Logger } from '@sluice/base';
import { loadServiceConfig, startService, type Service } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { runStep } from '../terminal/steps.ts';
import { serviceSettings, type ServiceSettings } from './service-settings.ts';

export interface DevService
  extends
    AsyncDisposable,
    Pick<Service, 'status' | 'onStatus' | 'plan' | 'deploy' | 'deployStatus'> {
  readonly url: string;
}

/** Starts the service in this process, as if it had been given a configuration file. */
export function startDevService(
  { screen, env, cwd }: CliContext,
  settings: ServiceSettings & { readonly logger: Logger },
): Promise<DevService> {
  return runStep(screen, 'Service', async () => {
    const text = JSON.stringify(serviceSettings(settings));
    const configBase64 = Buffer.from(text, 'utf8').toString('base64');
    const config = await loadServiceConfig({ env, cwd, configBase64 });
    const service = await startService(config, { logger: settings.logger, production: false });
    const port = new URL(service.url).port;
    const value: DevService = {
      url: `http://localhost:${port}`,
      status: () => service.status(),
      onStatus: (listener) => service.onStatus(listener),
      plan: (text) => service.plan(text),
      deploy: (text) => service.deploy(text),
      deployStatus: () => service.deployStatus(),
      [Symbol.asyncDispose]: () => service.stop(),
    };
    return { value, done: `Service on port ${port}` };
  });
}
