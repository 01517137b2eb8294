import type { ServiceStatus } from '@sluice/server';
import pc from 'picocolors';
import type { CliContext } from '../cli-context.ts';
import { formatCount, formatDuration } from '../terminal/text.ts';
import type { DevService } from './dev-service.ts';
import { snapshotText, statusText } from './status-text.ts';

/** Without a terminal, an unchanged state is repeated this often, as a sign of life. */
const REPEAT_MS = 60_000;
const REFRESH_MS = 250;
const PLAIN = pc.createColors(false);

/**
 * Shows what the service does: a live line on a terminal, else a line whenever the state changes.
 *
 * With `untilServing` it resolves to true as soon as there is a checkpoint to serve. Resolves to
 * false when the interrupt fires.
 */
export async function followStatus(
  { screen, interrupt }: CliContext,
  service: DevService,
  { untilServing }: { readonly untilServing: boolean },
): Promise<boolean> {
  const { colors } = screen;
  const startedAt = performance.now();
  const news = new StatusNews();
  const show = (status: ServiceStatus): boolean => {
    const problem = news.problem(status);
    if (problem !== undefined) screen.print(`  ${colors.red('✗')} ${problem}`);
    if (untilServing) {
      const took = colors.dim(formatDuration(performance.now() - startedAt));
      if (isServing(status)) {
        screen.setStatus(undefined);
        const what = `Serving at checkpoint ${formatCount(BigInt(status.checkpointOpId ?? 0))}`;
        screen.print(`  ${colors.green('✓')} ${what}  ${took}`);
        return true;
      }
      const doing = [status.replication.state, ...snapshotText(status)].join(', ');
      screen.setStatus(`  ${colors.cyan('…')} Reading the database: ${doing}  ${took}`);
      return false;
    }
    screen.setStatus(`  ${statusText(status, colors)}`);
    const line = screen.isTty ? undefined : news.stateLine(status, performance.now());
    if (line !== undefined) screen.print(`  ${line}`);
    return false;
  };
  return new Promise((resolve) => {
    const finish = (serving: boolean) => {
      clearInterval(ticker);
      unsubscribe();
      interrupt.signal.removeEventListener('abort', onAbort);
      screen.setStatus(undefined);
      resolve(serving);
    };
    const update = () => {
      if (interrupt.signal.aborted) finish(false);
      else if (show(service.status())) finish(true);
    };
    const onAbort = () => finish(false);
    const ticker = setInterval(update, REFRESH_MS);
    const unsubscribe = service.onStatus(update);
    interrupt.signal.addEventListener('abort', onAbort, { once: true });
    update();
  });
}

/** Clients are served from the first checkpoint on, also while the source is away. */
export function isServing({ checkpointOpId }: ServiceStatus): boolean {
  return checkpointOpId !== undefined;
}

/** Decides what is worth a line of its own. */
export class StatusNews {
  #problem = '';
  #state = '';
  #saidAtMs = -Infinity;

  /** A failure, once for as long as it stays the same. */
  problem({ replication }: ServiceStatus): string | undefined {
    const error = replication.lastError;
    const text = error ? `${error.message} (${error.code})\n    ${error.remedy}` : '';
    if (text === this.#problem) return undefined;
    this.#problem = text;
    return text === '' ? undefined : text;
  }

  /** The state when it changes, and now and then while it does not. */
  stateLine(status: ServiceStatus, nowMs: number): string | undefined {
    const { state } = status.replication;
    if (state === this.#state && nowMs - this.#saidAtMs < REPEAT_MS) return undefined;
    this.#state = state;
    this.#saidAtMs = nowMs;
    return statusText(status, PLAIN);
  }
}
