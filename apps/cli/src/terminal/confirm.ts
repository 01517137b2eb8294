import { createInterface } from 'node:readline/promises';
import { AppError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';

/**
 * Asks on the terminal; `yes` answers beforehand. False also when the question is interrupted.
 *
 * @throws AppError `CLI_USAGE` where there is nobody to ask.
 */
export async function confirm(
  { screen, interrupt }: CliContext,
  question: string,
  yes: boolean | undefined,
): Promise<boolean> {
  if (yes) return true;
  if (!screen.isTty || !process.stdin.isTTY) {
    throw new AppError('CLI_USAGE', `${question} There is no terminal to ask on`, {
      remedy: 'Add --yes',
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // On a terminal readline takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: interrupt.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (interrupt.signal.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}
