import path from 'node:path';
import type { Page } from 'playwright-core';
import { BrowserPage } from '../browser/browser-page.ts';
import type { DatabaseDriver } from './database-driver.ts';
import type { PageGlobals, WebStorage } from './page-clients.ts';
import type {
  ClientPlatform,
  ClientStatus,
  Row,
  StreamSubscription,
  TestClient,
  TestClientOptions,
} from './test-client.ts';

/** What is evaluated in the page sees the page's globals. */
declare const window: PageGlobals;

const PAGE = path.join(import.meta.dirname, 'web-page');

/** One database of the official web client, in a page that a test drives. */
class WebClient implements TestClient {
  readonly #page: Page;
  readonly #name: string;

  constructor(page: Page, name: string) {
    this.#page = page;
    this.#name = name;
  }

  connect(): Promise<void> {
    return this.#call('connect');
  }

  disconnect(): Promise<void> {
    return this.#call('disconnect');
  }

  query(sql: string, parameters: readonly (string | number)[] = []): Promise<readonly Row[]> {
    return this.#call('query', sql, parameters);
  }

  execute(sql: string, parameters: readonly (string | number | null)[] = []): Promise<void> {
    return this.#call('execute', sql, parameters);
  }

  watchNumber(name: string, sql: string): Promise<void> {
    return this.#call('watchNumber', name, sql);
  }

  shownNumbers(name: string): Promise<readonly number[]> {
    return this.#call('shownNumbers', name);
  }

  subscribe(subscription: StreamSubscription): Promise<void> {
    return this.#call('subscribe', subscription);
  }

  unsubscribe(subscription: StreamSubscription): Promise<void> {
    return this.#call('unsubscribe', subscription);
  }

  status(): Promise<ClientStatus> {
    return this.#call('status');
  }

  queuedWrites(): Promise<number> {
    return this.#call('queuedWrites');
  }

  syncCheckpoint(): Promise<void> {
    return this.#call('syncCheckpoint');
  }

  log(): Promise<readonly string[]> {
    return this.#call('log');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#call('close');
  }

  /** The page runs the same DatabaseDriver, so what comes back has the type of its method. */
  #call<T>(method: keyof DatabaseDriver, ...args: readonly unknown[]): Promise<T> {
    return this.#page.evaluate(
      ([name, called, values]) => window.clients.call(name, called, values) as Promise<T>,
      [this.#name, method, args] as const,
    );
  }
}

/** Opens web clients in one page of a browser, served from another origin than the service. */
export async function webPlatform(storage: WebStorage): Promise<ClientPlatform> {
  const browser = await BrowserPage.open(PAGE);
  const { page } = browser;
  const tokens = new Map<string, () => string>();
  await page.exposeFunction('tokenFor', (name: string) => tokens.get(name)?.() ?? '');
  return {
    async open({ token, ...options }: TestClientOptions) {
      tokens.set(options.name, token);
      await page.evaluate((given) => window.clients.open(given), { ...options, storage });
      return new WebClient(page, options.name);
    },
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}
