import { AppError, pause, systemClock, toAppError } from '@sluice/base';
import type { DeployPlan, Service } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { planSummary } from '../deploy/plan-text.ts';
import { formatDuration, shownPath } from '../terminal/text.ts';
import { checkDevSyncConfig, type DevSyncConfig } from './dev-sync-config.ts';
import { watchFile } from './watch-file.ts';

export interface DevDeployParts {
  readonly service: Pick<Service, 'plan' | 'deploy' | 'deployStatus'>;
  readonly databaseUrl: string;
}

const RETRY_MS = 250;
const POLL_MS = 200;

/**
 * Keeps what the service serves equal to a file: deploys it now, and after every change that is
 * valid. What is wrong with a change is printed, and the config before goes on serving.
 */
export class DevDeploy {
  readonly #context: CliContext;
  readonly #parts: DevDeployParts;
  /** Ends the announcement of a deploy that another one has replaced. */
  #announcing = new AbortController();

  constructor(context: CliContext, parts: DevDeployParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Deploys as soon as the replicator takes it. Returns early at the interrupt. */
  async start(syncConfig: DevSyncConfig): Promise<void> {
    const { signal } = this.#context.interrupt;
    const plan = await untilDone(() => this.#deploy(syncConfig), signal);
    // The start itself tells when the first one serves.
    if (plan && plan.kind !== 'first' && plan.kind !== 'nothing') this.#tell(syncConfig, plan);
  }

  /** Follows the file until the interrupt. */
  async watch({ path: file, text }: DevSyncConfig): Promise<void> {
    const { signal } = this.#context.interrupt;
    let newer = new AbortController();
    let taken: Promise<void> = Promise.resolve();
    for await (const changed of watchFile({ file, text, clock: systemClock, signal })) {
      newer.abort();
      await taken;
      newer = new AbortController();
      taken = this.#take(file, changed, AbortSignal.any([signal, newer.signal]));
    }
    await taken;
  }

  /** Deploys a change of the file, or says why not. Given up when the signal aborts. */
  async #take(file: string, text: string | undefined, signal: AbortSignal): Promise<void> {
    const { screen, cwd } = this.#context;
    const name = shownPath(cwd, file);
    const kept = 'what was deployed before goes on serving';
    if (text === undefined) {
      screen.print(`  ${screen.colors.yellow('!')} ${name} is gone; ${kept}`);
      return;
    }
    try {
      const checked = await untilDone(
        () => checkDevSyncConfig(this.#context, file, text, this.#parts),
        signal,
      );
      const plan = checked && (await untilDone(() => this.#deploy(checked), signal));
      if (checked && plan) this.#tell(checked, plan);
    } catch (error) {
      const { message } = toAppError(error);
      screen.print(`  ${screen.colors.red('✗')} ${message}; ${kept}`);
    }
  }

  async #deploy(syncConfig: DevSyncConfig): Promise<DeployPlan> {
    const { service } = this.#parts;
    const plan = await service.plan(syncConfig.text);
    await service.deploy(syncConfig.text);
    this.#announcing.abort();
    return plan;
  }

  /** What a deploy changes, at once, and when it serves, later. */
  #tell(syncConfig: DevSyncConfig, plan: DeployPlan): void {
    const { screen, cwd } = this.#context;
    const name = shownPath(cwd, syncConfig.path);
    screen.print(`  ${screen.colors.cyan('↻')} ${name}: ${planSummary(plan)}`);
    if (plan.kind === 'nothing') return;
    this.#announcing = new AbortController();
    void this.#announce(plan.hash, this.#announcing.signal);
  }

  /** Says when the config with this hash serves. */
  async #announce(hash: string, replaced: AbortSignal): Promise<void> {
    const { screen, interrupt } = this.#context;
    const signal = AbortSignal.any([replaced, interrupt.signal]);
    const startedAt = performance.now();
    while (!signal.aborted) {
      const served = await this.#servedHash();
      if (served === hash) {
        const took = screen.colors.dim(formatDuration(performance.now() - startedAt));
        screen.print(`  ${screen.colors.green('✓')} The changed sync config serves  ${took}`);
        return;
      }
      await pause(systemClock, POLL_MS, signal);
    }
  }

  async #servedHash(): Promise<string | undefined> {
    try {
      return (await this.#parts.service.deployStatus()).active?.hash;
    } catch (error) {
      if (error instanceof AppError) return undefined; // storage is away for a moment, or for good
      throw error;
    }
  }
}

/**
 * Tries until it succeeds or fails for good; undefined when the signal aborted before. What is
 * being waited for, the status line tells.
 */
async function untilDone<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error;
    }
    await pause(systemClock, RETRY_MS, signal);
  }
  return undefined;
}
