import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { launchProfile } from '../browser/chromium.ts';
import { PageServer } from '../browser/page-server.ts';

/** What the page needs, and no more: nothing is evaluated from text, and no header makes it isolated. */
export const APP_HEADERS = {
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' http://127.0.0.1:*",
};

export interface AppBrowserOptions {
  /** Folder of the built app. */
  readonly site: string;
  readonly tokenOf?: (user: string) => string;
  /** Throws if the backend did not take it. */
  readonly upload?: (user: string, body: string) => Promise<void>;
}

/** A browser with a profile of its own, and an app's site that it opens in tabs. */
export class AppBrowser implements AsyncDisposable {
  readonly context: BrowserContext;
  /** Errors that nobody caught in a page or worker, and what the browser refused. */
  readonly errors: string[] = [];
  readonly #server: PageServer;
  readonly #dir: string;

  private constructor(context: BrowserContext, server: PageServer, dir: string) {
    this.context = context;
    this.#server = server;
    this.#dir = dir;
  }

  static async open({ site, tokenOf, upload }: AppBrowserOptions): Promise<AppBrowser> {
    const dir = await mkdtemp(path.join(tmpdir(), 'sluice-profile-'));
    const server = await PageServer.start(site, APP_HEADERS);
    const context = await launchProfile(dir);
    await context.exposeFunction('tokenOf', tokenOf ?? (() => ''));
    await context.exposeFunction('upload', upload ?? (() => Promise.resolve()));
    return new AppBrowser(context, server, dir);
  }

  get url(): string {
    return this.#server.url;
  }

  /** A tab with the app, that has the database open if a name is given. */
  async tab(database?: string): Promise<Page> {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.errors.push(error.message));
    await this.show(page, database);
    return page;
  }

  /** Loads the app in a tab, or anew. */
  async show(page: Page, database?: string): Promise<void> {
    await page.goto(this.url);
    if (database !== undefined) await page.evaluate((name) => app.open(name), database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
