import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE_DIR = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const REPOSITORY_DIR = path.join(PACKAGE_DIR, '..', '..');
const POLL_MS = 20;

/** The tests run what users run: the built command. */
export function buildCommand(): void {
  const tsc = path.join(REPOSITORY_DIR, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-b', PACKAGE_DIR], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The build failed:\n${result.stdout}`);
}

/** A `sluice` process of its own, with everything that it printed. Disposing kills it. */
export class RunningCommand implements AsyncDisposable {
  output = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  constructor(args: readonly string[], options: { readonly cwd?: string } = {}) {
    this.#child = spawn(process.execPath, [path.join(PACKAGE_DIR, 'bin', 'sluice.js'), ...args], {
      cwd: options.cwd ?? REPOSITORY_DIR,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    const keep = (part: string) => (this.output += part);
    this.#child.stdout?.setEncoding('utf8').on('data', keep);
    this.#child.stderr?.setEncoding('utf8').on('data', keep);
    this.#exited = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
  }

  /** Waits until the output after `from` matches. @throws Error with the output otherwise. */
  async waitFor(pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.output.slice(from));
      if (match) return match;
      const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        const why = ended ? 'the command ended' : `${timeoutMs} ms passed`;
        throw new Error(`No ${pattern}: ${why}. Output:\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The exit code; null when a signal ended it. */
  exitCode(): Promise<number | null> {
    return this.#exited;
  }

  /** As Ctrl-C does. */
  interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      // Twice: the second one is the forced end, which also takes the database along.
      this.#child.kill('SIGINT');
      this.#child.kill('SIGTERM');
    }
    await this.#exited;
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const command = new RunningCommand(args, options);
  const code = await command.exitCode();
  return { code, output: command.output };
}
