import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { CrowdAnswer, CrowdCommand } from './messages.ts';

const COMMAND_TIMEOUT_MS = 180_000;
const BODY = JSON.stringify({
  buckets: [],
  include_checksum: true,
  raw_data: true,
  client_id: 'crowd',
  parameters: {},
});

export interface ConnectCrowd {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly body?: string | undefined;
  readonly gzip?: boolean | undefined;
  readonly atOnce?: number | undefined;
}

/** Many clients in a process of their own. Files that it may open limit them to about 19,000. */
export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(path.join(import.meta.dirname, 'crowd-process.ts'), {
      execArgv: ['-C', '@sluice/source', '--import', 'tsx'],
    });
  }

  /** Milliseconds that each client waited for its first complete checkpoint. */
  connect({ body = BODY, gzip = false, atOnce = 50, ...rest }: ConnectCrowd) {
    return this.#tell({ kind: 'connect', body, gzip, atOnce, ...rest });
  }

  async watch(marker: string): Promise<void> {
    await this.#tell({ kind: 'watch', marker });
  }

  /** When the marker arrived at each client, as `machineMs`; rejects if fewer than `expected`. */
  arrivals(expected: number, timeoutMs = 30_000): Promise<readonly number[]> {
    return this.#tell({ kind: 'arrivals', expected, timeoutMs });
  }

  async close(): Promise<void> {
    await this.#tell({ kind: 'close' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect();
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }

  #tell(command: CrowdCommand): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The crowd does not answer: ${command.kind}`)),
        COMMAND_TIMEOUT_MS,
      );
      this.#child.once('message', ({ times, error }: CrowdAnswer) => {
        clearTimeout(timer);
        if (error === undefined) resolve(times);
        else reject(new Error(error));
      });
      this.#child.send(command);
    });
  }
}
