import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFirefox } from '../tools/test/find-firefox.mjs';
import { Firefox, type FirefoxOptions, type FirefoxTab } from './support/browser/firefox.ts';
import { PageServer } from './support/browser/page-server.ts';
import { APP_HEADERS } from './support/web-client/app-browser.ts';
import { buildSite } from './support/web-client/build-site.ts';
// Types of what the page declares.
import type {} from './support/web-client/page/main.ts';

const isMissing = findFirefox() === undefined;
if (isMissing)
  console.warn('Firefox is missing: the web client is not tested in it (SLUICE_FIREFOX)');

const ids = (tab: FirefoxTab) => tab.evaluate(() => app.ids('%'));
const problems = (tab: FirefoxTab) => tab.evaluate(() => app.problems);
const write = (tab: FirefoxTab, id: string) => tab.evaluate((name) => app.write(name, 'body'), id);

describe.skipIf(isMissing)('in Firefox', () => {
  let site: string;
  let server: PageServer;

  beforeAll(async () => {
    site = await mkdtemp(path.join(tmpdir(), 'sluice-site-'));
    await buildSite(site);
    server = await PageServer.start(site, APP_HEADERS);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(site, { recursive: true, force: true });
  });

  async function launch(options: FirefoxOptions) {
    const firefox = await Firefox.launch(options);
    const show = async (tab: FirefoxTab) => {
      await tab.goto(server.url);
      await tab.evaluate(() => app.open('notes'));
    };
    const open = async () => {
      const tab = await firefox.tab(server.url);
      await tab.evaluate(() => app.open('notes'));
      return tab;
    };
    return { show, open, [Symbol.asyncDispose]: () => firefox[Symbol.asyncDispose]() };
  }

  test('data outlives a reload, tabs share it and watch it, and when the one that leads is closed every write is done once', async () => {
    await using firefox = await launch({});
    const leader = await firefox.open();
    expect(await leader.evaluate(() => app.db.storage)).toBe('kept');
    await write(leader, 'a');
    await firefox.show(leader);
    expect(await ids(leader)).toEqual(['a']);
    const follower = await firefox.open();
    await follower.evaluate(() => {
      app.db.watch('SELECT id FROM notes', [], {
        onResult: (rows) => (document.title = String(rows.array.length)),
      });
    });
    await write(leader, 'b');
    await until('the watch', () => follower.evaluate(() => document.title === '2'));
    const writing = follower.evaluate(async () => {
      for (let n = 0; n < 40; n++) await app.write(`late-${n}`, 'body');
    });
    await until('some are written', async () => (await ids(leader)).length > 5);
    await leader.close();
    await writing;
    // Each id once: a second INSERT of it would have failed.
    expect(await ids(follower)).toHaveLength(42);
    const third = await firefox.open();
    await follower.evaluate(() => app.db.close());
    await write(third, 'c');
    expect(await ids(third)).toHaveLength(43);
    for (const tab of [follower, third]) expect(await problems(tab)).toEqual([]);
  });

  test('in private windows the database is in memory, shared by tabs, and says so', async () => {
    await using firefox = await launch({ isPrivate: true });
    const tabs = [await firefox.open(), await firefox.open()];
    for (const [n, tab] of tabs.entries()) {
      expect(await tab.evaluate(() => app.db.storage)).toBe('memory');
      await write(tab, `tab-${n}`);
    }
    for (const tab of tabs) expect(await ids(tab)).toEqual(['tab-0', 'tab-1']);
    expect(await Promise.all(tabs.map(problems))).toEqual([['NOT_KEPT'], []]);
  });
});
