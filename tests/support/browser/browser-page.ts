import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { launchChromium } from './chromium.ts';
import { PageServer } from './page-server.ts';

/** A page built from sources, served on loopback and open in Chromium. */
export class BrowserPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page and its workers wrote on the console, and errors that nobody caught. */
  readonly console: readonly string[];
  readonly #browser: Browser;
  readonly #server: PageServer;
  readonly #dir: string;

  private constructor(parts: {
    readonly page: Page;
    readonly console: readonly string[];
    readonly browser: Browser;
    readonly server: PageServer;
    readonly dir: string;
  }) {
    this.page = parts.page;
    this.console = parts.console;
    this.#browser = parts.browser;
    this.#server = parts.server;
    this.#dir = parts.dir;
  }

  /** `source` is a folder with an index.html. */
  static async open(source: string): Promise<BrowserPage> {
    const dir = await mkdtemp(path.join(tmpdir(), 'sluice-page-'));
    await buildPage(source, dir);
    const server = await PageServer.start(dir);
    const browser = await launchChromium();
    const page = await browser.newPage();
    const lines: string[] = [];
    page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => lines.push(`uncaught: ${error.message}`));
    await page.goto(server.url);
    return new BrowserPage({ page, console: lines, browser, server, dir });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function buildPage(root: string, outDir: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    base: './',
    build: { outDir, emptyOutDir: true, target: 'es2023', minify: false },
    worker: { format: 'es' },
  });
}
