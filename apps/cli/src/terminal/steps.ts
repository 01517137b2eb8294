import { formatDuration } from './text.ts';
import type { Screen } from './screen.ts';

const TICK_MS = 100;

export interface StepResult<T> {
  readonly value: T;
  /** What to show once it is done; absent: the title. */
  readonly done?: string | undefined;
}

/** Runs one step of a preparation, shows it while it runs, and what it came to with its time. */
export async function runStep<T>(
  screen: Screen,
  title: string,
  work: (setDetail: (detail: string) => void) => Promise<StepResult<T>>,
): Promise<T> {
  const { colors } = screen;
  const startedAt = performance.now();
  const elapsed = () => colors.dim(formatDuration(performance.now() - startedAt));
  let detail = '';
  const show = () => screen.setStatus(`  ${colors.cyan('…')} ${title}${detail}  ${elapsed()}`);
  show();
  const ticker = setInterval(show, TICK_MS);
  const finish = (line: string) => {
    clearInterval(ticker);
    screen.setStatus(undefined);
    screen.print(line);
  };
  try {
    const { value, done } = await work((text) => (detail = ` ${colors.dim(text)}`));
    finish(`  ${colors.green('✓')} ${done ?? title}  ${elapsed()}`);
    return value;
  } catch (error) {
    finish(`  ${colors.red('✗')} ${title}  ${elapsed()}`);
    throw error;
  }
}
