import type { Interrupt } from './terminal/interrupt.ts';
import type { Screen } from './terminal/screen.ts';

/** What every command gets from the process it runs in. */
export interface CliContext {
  /** Standard output. */
  readonly screen: Screen;
  /** Standard error: what must not get into output that is piped on. */
  readonly errors: Screen;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interrupt: Interrupt;
  readonly version: string;
}
