import path from 'node:path';
import { AppError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import type { AdminClient } from '../deploy/admin-client.ts';
import { findTarget, type DeployTarget, type TargetOptions } from '../deploy/deploy-target.ts';
import { followDeploy } from '../deploy/follow-deploy.ts';
import { planLines } from '../deploy/plan-text.ts';
import { readTextFile } from '../dev/dev-sync-config.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';
import { confirm } from '../terminal/confirm.ts';
import { shownPath } from '../terminal/text.ts';

export interface DeployOptions extends TargetOptions {
  readonly yes?: boolean | undefined;
  /** False: returns once the deploy is durable. */
  readonly wait?: boolean | undefined;
}

/** Shows the plan, deploys, and follows until the new sync config serves. */
export async function deployCommand(
  context: CliContext,
  file: string,
  options: DeployOptions,
): Promise<void> {
  const { screen, cwd } = context;
  const text = await readTextFile(path.resolve(cwd, file));
  compileChecked(screen, text, { fileName: file, defaultSchema: 'public' });
  const target = await findTarget(context, options);
  const service = await deployable(context, target);
  const { deploying } = await service.status();
  const plan = await service.plan(text);
  screen.print(`${file} against what ${target.name} serves:\n`);
  for (const line of planLines(plan, screen.colors)) screen.print(line);
  // Deploying what serves calls off what is being filled; without that there is nothing to do.
  if (plan.kind === 'nothing' && deploying === null) return;
  if (deploying !== null && deploying.hash !== plan.hash) {
    screen.print('  Another sync config is being filled; this one takes its place');
  }
  screen.print();
  if (plan.kind !== 'first' && !(await confirm(context, 'Deploy it?', options.yes))) return;
  await service.deploy(text);
  if (options.wait === false) {
    screen.print(`${screen.colors.green('✓')} Deployed; it serves as soon as it is filled`);
    return;
  }
  await finish(context, service, plan.hash);
}

/** Goes back to the sync config that served before. */
export async function rollbackCommand(context: CliContext, options: DeployOptions): Promise<void> {
  const { screen } = context;
  const target = await findTarget(context, options);
  const service = await deployable(context, target);
  const { previous } = await service.status();
  if (previous === null) {
    throw new AppError('CONFIG_NO_PREVIOUS', `${target.name} has no earlier sync config at hand`);
  }
  const deployedAt = new Date(previous.deployedAtMs).toISOString().slice(0, 19).replace('T', ' ');
  screen.print(`${target.name} goes back to the sync config deployed at ${deployedAt} UTC`);
  if (!(await confirm(context, 'Go back?', options.yes))) return;
  await service.rollBack();
  if (options.wait === false) return;
  await finish(context, service, previous.hash);
}

async function finish(context: CliContext, service: AdminClient, hash: string): Promise<void> {
  if (await followDeploy(context, service, hash)) return;
  context.screen.print('The service goes on filling it by itself');
}

/** @throws AppError that says what to do where the API cannot deploy. */
async function deployable({ cwd }: CliContext, target: DeployTarget): Promise<AdminClient> {
  const isPinned = target.pinnedBy !== undefined || (await target.service?.status())?.isPinned;
  if (isPinned) {
    const file = target.pinnedBy && shownPath(cwd, target.pinnedBy);
    throw new AppError(
      'API_SYNC_CONFIG_PINNED',
      `${target.name} takes its sync config from ${file ?? 'its configuration file'}`,
      {
        remedy: file
          ? `Change ${file} and restart the service: it fills what is new while it serves on`
          : undefined,
      },
    );
  }
  if (target.service !== undefined) return target.service;
  throw new AppError('CLI_SERVICE_UNREACHABLE', `${target.name} does not answer on this machine`, {
    remedy: 'Start it, and give it a token under api.tokens; or name it with --url and --token',
  });
}
