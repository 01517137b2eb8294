import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { printBanner } from '../dev/banner.ts';
import { ClosingList } from '../dev/closing-list.ts';
import { DevFolder } from '../dev/dev-folder.ts';
import { openDevLog } from '../dev/dev-log.ts';
import { DevDeploy } from '../dev/deploy-sync-config.ts';
import { startDevService } from '../dev/dev-service.ts';
import { sampleApp } from '../dev/sample-app.ts';
import { findSyncConfig, loadDevSyncConfig } from '../dev/dev-sync-config.ts';
import { functionsFolder } from '../functions/functions-folder.ts';
import { followStatus } from '../dev/follow-status.ts';
import { choosePort } from '../dev/free-port.ts';
import { prepareSource } from '../dev/prepare-source.ts';
import { prepareWriteApi } from '../dev/prepare-write-api.ts';
import { untilAborted } from '../terminal/interrupt.ts';
import { shownPath } from '../terminal/text.ts';

export interface DevOptions {
  readonly db?: string | undefined;
  readonly syncConfig?: string | undefined;
  readonly fix?: boolean | undefined;
  readonly port?: number | undefined;
  readonly postgresPort?: number | undefined;
  readonly dir: string;
  readonly user?: readonly string[] | undefined;
}

const DEFAULT_PORT = 8080;

/**
 * Everything that one needs to see Sluice work: a database, the service, a write endpoint, tokens.
 * Runs until the interrupt; what it made stays in the folder, so the next start goes on from there.
 */
export async function runDev(context: CliContext, options: DevOptions): Promise<void> {
  const { screen } = context;
  screen.print(`\n${screen.colors.bold('Sluice')} ${screen.colors.dim(context.version)}\n`);
  const folder = await DevFolder.create(path.resolve(context.cwd, options.dir));
  folder.assertFree();
  const port = await chooseServicePort(context, options);
  {
    await using opened = new ClosingList();
    await runUntilInterrupted(context, options, { folder, port, opened });
    screen.setStatus(undefined);
    screen.print('\n  Stopping …');
  }
  const kept = shownPath(context.cwd, folder.path);
  screen.print(`  Stopped. Everything is kept in ${kept} for the next start.`);
}

async function runUntilInterrupted(
  context: CliContext,
  options: DevOptions,
  place: { readonly folder: DevFolder; readonly port: number; readonly opened: ClosingList },
): Promise<void> {
  const { signal } = context.interrupt;
  const { folder, port, opened } = place;
  const keyFile = await folder.keyFile();
  const log = opened.use(openDevLog(folder.file('service.log'), context.screen));
  const source = opened.use(await prepareSource(context, options, folder));
  if (signal.aborted) return;
  const hasSyncConfig = findSyncConfig(context.cwd, options) !== undefined;
  if (hasSyncConfig) await prepareWriteApi(context, source);
  const syncConfig = await loadDevSyncConfig(context, options, source);
  const functions = functionsFolder(context.cwd);
  const storagePath = folder.file(source.storageName);
  const sample = options.db === undefined ? await sampleApp() : undefined;
  const service = opened.use(
    await startDevService(context, {
      databaseUrl: source.url,
      port,
      keyFile,
      users: source.users,
      functions,
      apiToken: await folder.apiToken(),
      ...sample,
      storagePath,
      logger: log.logger,
    }),
  );
  const state = {
    pid: process.pid,
    serviceUrl: service.url,
    uploadUrl: `${service.url}/upload`,
    databaseUrl: source.url,
    storagePath,
    users: source.users,
    storageName: source.storageName,
    postgresPort: source.postgresPort,
  };
  await folder.saveState({ ...state, running: true });
  opened.defer(() => folder.saveState({ ...state, running: false }));

  const deploy = new DevDeploy(context, { service, databaseUrl: source.url });
  const [isServing] = await Promise.all([
    followStatus(context, service, { untilServing: true }),
    deploy.start(syncConfig),
  ]);
  if (!isServing) return;
  await printBanner(context, {
    folder,
    state,
    functions,
    syncConfig,
    isSample: sample !== undefined,
    hasWebApp: sample?.webApp !== undefined,
  });
  await Promise.race([
    followStatus(context, service, { untilServing: false }),
    deploy.watch(syncConfig),
    untilAborted(signal),
  ]);
}

async function chooseServicePort({ screen }: CliContext, options: DevOptions): Promise<number> {
  const service = await choosePort({
    port: options.port ?? DEFAULT_PORT,
    chosenByUser: options.port !== undefined,
    option: '--port',
  });
  if (service.insteadOf !== undefined) {
    const note = `Port ${service.insteadOf} is taken by another program, so this uses ${service.port}`;
    screen.print(`  ${screen.colors.yellow('!')} ${note}`);
  }
  return service.port;
}
