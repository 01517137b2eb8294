import { AppError, pause, systemClock } from '@sluice/base';
import type { DeployStatus } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { StatusNews } from '../dev/follow-status.ts';
import { fillText } from '../dev/status-text.ts';
import { formatDuration } from '../terminal/text.ts';
import type { AdminClient } from './admin-client.ts';

const POLL_MS = 250;

/**
 * Shows how a deployed config is filled until it serves. Resolves to false at the interrupt: the
 * service goes on by itself.
 *
 * @throws AppError `CLI_REQUEST_REFUSED` when another deploy took its place;
 * `CLI_SERVICE_UNREACHABLE`.
 */
export async function followDeploy(
  { screen, interrupt }: CliContext,
  service: AdminClient,
  hash: string,
): Promise<boolean> {
  const { colors } = screen;
  const startedAt = performance.now();
  const news = new StatusNews();
  try {
    while (!interrupt.signal.aborted) {
      const status = await service.status();
      const took = colors.dim(formatDuration(performance.now() - startedAt));
      if (isServing(status, hash)) {
        screen.setStatus(undefined);
        screen.print(`${colors.green('✓')} It serves  ${took}`);
        return true;
      }
      assertStillWanted(status, hash);
      const problem = news.problem(status.service);
      if (problem !== undefined) screen.print(`${colors.red('✗')} ${problem}`);
      screen.setStatus(`${colors.cyan('…')} Filling${fillText(status.service)}  ${took}`);
      await pause(systemClock, POLL_MS, interrupt.signal);
    }
    return false;
  } finally {
    screen.setStatus(undefined);
  }
}

function isServing({ active, deploying }: DeployStatus, hash: string): boolean {
  return active?.hash === hash && deploying?.hash !== hash;
}

function assertStillWanted({ active, deploying }: DeployStatus, hash: string): void {
  if (active?.hash === hash || deploying?.hash === hash) return;
  throw new AppError('CLI_REQUEST_REFUSED', 'Another deploy has taken the place of this one', {
    remedy: 'See sluice plan for what serves now',
  });
}
