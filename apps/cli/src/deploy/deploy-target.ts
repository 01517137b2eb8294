import { existsSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '@sluice/base';
import {
  CONFIG_FILE_NAMES,
  loadServiceConfig,
  planFromStorage,
  type DeployPlan,
  type ServiceConfig,
} from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { findFolder } from '../commands/tail.ts';
import type { DevFolder } from '../dev/dev-folder.ts';
import { serviceSettings } from '../dev/service-settings.ts';
import { AdminClient } from './admin-client.ts';

export interface TargetOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly config?: string | undefined;
  readonly dir?: string | undefined;
}

/** What a sync config is planned for, or deployed to. */
export interface DeployTarget {
  /** For people, after "what … serves". */
  readonly name: string;
  /** Undefined when no service answers there. */
  readonly service: AdminClient | undefined;
  /** The service file that names the sync config, if one does. */
  readonly pinnedBy: string | undefined;
  plan(text: string): Promise<DeployPlan>;
}

/**
 * Finds the target: the service named by URL, the one of a service file, that of `sluice dev`, else
 * that of a service file with one of the usual names. A service that does not run is planned for
 * from its storage.
 *
 * @throws AppError `CLI_USAGE` when there is none.
 */
export async function findTarget(
  context: CliContext,
  options: TargetOptions,
): Promise<DeployTarget> {
  if (options.url !== undefined) return serviceAt(options.url, options.token);
  if (options.config !== undefined) return serviceOfFile(context, options.config);
  const folder = findFolder(context, options.dir);
  if (folder?.state()?.running) return devService(folder);
  const file = CONFIG_FILE_NAMES.find((name) => existsSync(path.join(context.cwd, name)));
  if (file !== undefined && options.dir === undefined) return serviceOfFile(context, file);
  const stopped = folder && (await stoppedDevService(context, folder));
  if (stopped) return stopped;
  throw new AppError(
    'CLI_USAGE',
    'It is not said which service is meant, and sluice dev does not run',
    {
      remedy: 'Name it with --url URL --token TOKEN, or with --config FILE; or start sluice dev',
    },
  );
}

function serviceAt(url: string, token: string | undefined): DeployTarget {
  if (token === undefined) {
    throw new AppError('CLI_USAGE', '--url needs a token of the admin API', {
      remedy: 'Add --token TOKEN, one of the api.tokens of the service',
    });
  }
  return running(new AdminClient(url, token), undefined);
}

async function devService(folder: DevFolder): Promise<DeployTarget> {
  const url = folder.state()?.serviceUrl ?? '';
  return running(new AdminClient(url, await folder.apiToken()), undefined);
}

/** Undefined when nothing has run in the folder yet. */
async function stoppedDevService(
  { env, cwd }: CliContext,
  folder: DevFolder,
): Promise<DeployTarget | undefined> {
  const { databaseUrl, storagePath, users = [] } = folder.state() ?? {};
  if (databaseUrl === undefined || storagePath === undefined) return undefined;
  const [keyFile, apiToken] = [await folder.keyFile(), await folder.apiToken()];
  const settings = serviceSettings({
    databaseUrl,
    storagePath,
    port: 0,
    keyFile,
    users,
    apiToken,
  });
  const config = await loadServiceConfig({ env, cwd, configText: JSON.stringify(settings) });
  return {
    name: 'sluice dev, as stored,',
    service: undefined,
    pinnedBy: undefined,
    plan: (text) => planFromStorage(config, text),
  };
}

async function serviceOfFile(context: CliContext, file: string): Promise<DeployTarget> {
  const { env, cwd } = context;
  const config = await loadServiceConfig({ env, cwd, configPath: file });
  const pinnedBy = config.syncConfig && (config.syncConfig.path ?? file);
  const service = await runningService(config);
  if (service !== undefined) return running(service, pinnedBy);
  return {
    name: `the service of ${file}, as stored,`,
    service: undefined,
    pinnedBy,
    plan: (text) => planFromStorage(config, text),
  };
}

function running(service: AdminClient, pinnedBy: string | undefined): DeployTarget {
  return { name: service.url, service, pinnedBy, plan: (text) => service.plan(text) };
}

/** The service of this configuration, if it runs on this machine and has a token for us. */
async function runningService(config: ServiceConfig): Promise<AdminClient | undefined> {
  const [token] = config.api.tokens;
  if (token === undefined || config.port === 0) return undefined;
  const isAnywhere = config.host === '0.0.0.0' || config.host === '::';
  const host = isAnywhere ? '127.0.0.1' : config.host;
  const client = new AdminClient(`http://${host}:${config.port}`, token);
  try {
    await client.status();
    return client;
  } catch (error) {
    if (error instanceof AppError && error.code === 'CLI_SERVICE_UNREACHABLE') return undefined;
    throw error;
  }
}
