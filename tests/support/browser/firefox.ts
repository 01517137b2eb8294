import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findFirefox } from '../../../tools/test/find-firefox.mjs';
import { BidiConnection } from './bidi-connection.ts';

/** What `script.evaluate` answers. */
interface Evaluated {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly type: string; readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string };
}

const LISTENING = /WebDriver BiDi listening on (\S+)/;
const START_TIMEOUT_MS = 90_000;
/** Nothing of the browser's own goes out or comes up. */
const PREFERENCES = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  // A page of the browser's own for JSON, which may not fetch from where it came.
  'devtools.jsonview.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.server': 'data:,',
};

export interface FirefoxOptions {
  /** As in a private window, in all tabs. */
  readonly isPrivate?: boolean;
}

/** The machine's own Firefox with a profile of its own, driven by the browser's WebDriver BiDi. */
export class Firefox implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #connection: BidiConnection;
  readonly #profile: string;

  private constructor(process: ChildProcess, connection: BidiConnection, profile: string) {
    this.#process = process;
    this.#connection = connection;
    this.#profile = profile;
  }

  static async launch({ isPrivate = false }: FirefoxOptions = {}): Promise<Firefox> {
    const executable = findFirefox();
    if (executable === undefined) throw new Error('Firefox is not installed');
    const profile = await mkdtemp(path.join(tmpdir(), 'sluice-firefox-'));
    const preferences = { ...PREFERENCES, 'browser.privatebrowsing.autostart': isPrivate };
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(path.join(profile, 'user.js'), lines.join(''));
    const process = spawn(
      executable,
      ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    try {
      const connection = await BidiConnection.open(`${await addressOf(process)}/session`);
      await connection.send('session.new', { capabilities: {} });
      return new Firefox(process, connection, profile);
    } catch (error) {
      process.kill('SIGKILL');
      throw error;
    }
  }

  async tab(url: string): Promise<FirefoxTab> {
    const created = await this.#connection.send('browsingContext.create', { type: 'tab' });
    const { context } = created as { readonly context: string };
    const tab = new FirefoxTab(this.#connection, context);
    await tab.goto(url);
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    await this.#connection.send('browser.close', {}).catch(() => this.#process.kill('SIGKILL'));
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    this.#connection.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class FirefoxTab {
  readonly #connection: BidiConnection;
  readonly #context: string;

  constructor(connection: BidiConnection, context: string) {
    this.#connection = connection;
    this.#context = context;
  }

  /** Resolves when the page is loaded; also loads it anew. */
  async goto(url: string): Promise<void> {
    const params = { context: this.#context, url, wait: 'complete' };
    await this.#connection.send('browsingContext.navigate', params);
  }

  /** Calls a function in the page, which sees nothing of its surroundings; what it takes and gives is JSON. */
  async evaluate<T, P extends readonly unknown[]>(
    body: (...parameters: P) => T,
    ...parameters: P
  ): Promise<Awaited<T>> {
    const call = `(${body.toString()})(...${JSON.stringify(parameters)})`;
    const answer = await this.#connection.send('script.evaluate', {
      expression: `(async () => JSON.stringify(await ${call}) ?? 'null')()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    // The one shape that the standard gives it.
    const { result, exceptionDetails } = answer as Evaluated;
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return JSON.parse(String(result?.value)) as Awaited<T>;
  }

  async close(): Promise<void> {
    await this.#connection.send('browsingContext.close', { context: this.#context });
  }
}

/** The browser says on which port it listens. */
function addressOf({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (stderr === null) return reject(new Error('Nothing can be heard of Firefox'));
    const lines = createInterface({ input: stderr });
    const fail = () => reject(new Error('Firefox did not start'));
    const timer = setTimeout(fail, START_TIMEOUT_MS);
    lines.on('line', (line) => {
      const address = LISTENING.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    lines.on('close', fail);
  });
}
