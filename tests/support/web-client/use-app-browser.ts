import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { AppBrowser } from './app-browser.ts';
import { buildSite } from './build-site.ts';

/** Gives each test of a file a browser of its own, by `take`; the site is built once for all. */
export function useAppBrowser(take: (browser: AppBrowser) => void): void {
  let site: string;
  let browser: AppBrowser;
  beforeAll(async () => {
    site = await mkdtemp(path.join(tmpdir(), 'sluice-site-'));
    await buildSite(site);
  });
  beforeEach(async () => {
    browser = await AppBrowser.open({ site });
    take(browser);
  });
  afterEach(() => browser[Symbol.asyncDispose]());
  afterAll(() => rm(site, { recursive: true, force: true }));
}
