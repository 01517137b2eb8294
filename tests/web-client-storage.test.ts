import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { AppBrowser } from './support/web-client/app-browser.ts';
import { useAppBrowser } from './support/web-client/use-app-browser.ts';
// Types of what the page declares.
import type {} from './support/web-client/page/main.ts';

let browser: AppBrowser;

useAppBrowser((opened) => (browser = opened));

async function limitQuota(page: Page, bytes?: number): Promise<void> {
  const session = await browser.context.newCDPSession(page);
  const origin = new URL(browser.url).origin;
  await session.send('Storage.overrideQuotaForOrigin', {
    origin,
    ...(bytes !== undefined && { quotaSize: bytes }),
  });
}

/** Writes notes until one is refused, and gives the refusal's code. */
function fill(page: Page): Promise<{ readonly written: number; readonly code: unknown }> {
  return page.evaluate(async () => {
    const body = 'x'.repeat(100_000);
    for (let n = 0; n < 200; n++) {
      try {
        await app.write(`big-${n}`, body);
      } catch (error) {
        return { written: n, code: (error as { code?: unknown }).code };
      }
    }
    return { written: 200, code: undefined };
  });
}

test('without place for more, a write fails as a whole, and the app goes on with what it has', async () => {
  const page = await browser.tab('quota');
  await page.evaluate(() => app.write('before', 'body'));
  await limitQuota(page, 5_000_000);
  const { written, code } = await fill(page);
  expect(code).toBe('STORAGE_FULL');
  expect(await page.evaluate(() => app.ids('%'))).toHaveLength(written + 1);
  expect((await page.evaluate(() => app.db.getUploadQueueStats())).count).toBe(written + 1);
  await limitQuota(page);
  await page.evaluate(() => app.write('after', 'body'));
  await browser.show(page, 'quota');
  expect(await page.evaluate(() => app.ids('%'))).toHaveLength(written + 2);
  expect(await page.evaluate(() => app.problems)).toEqual([]);
});

test('a new database for which there is no place at all is in memory, and says so', async () => {
  const page = await browser.tab();
  await limitQuota(page, 1);
  await page.evaluate(() => app.open('no-place'));
  expect(await page.evaluate(() => app.db.storage)).toBe('memory');
  await page.evaluate(() => app.write('a', 'body'));
  expect(await page.evaluate(() => app.ids('%'))).toEqual(['a']);
  expect(await page.evaluate(() => app.problems)).toContain('NOT_KEPT');
});

test('where the browser refuses files, as in private windows of some, tabs share a database in memory', async () => {
  // Scripts that a test adds to pages are not in their workers.
  await browser.context.route(/worker[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    const refuse = `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('on purpose', 'SecurityError'));`;
    await route.fulfill({ response, body: refuse + (await response.text()) });
  });
  const tabs = [await browser.tab('refused'), await browser.tab('refused')];
  for (const [n, tab] of tabs.entries()) {
    expect(await tab.evaluate(() => app.db.storage)).toBe('memory');
    await tab.evaluate((id) => app.write(id, 'body'), `tab-${n}`);
  }
  for (const tab of tabs) expect(await tab.evaluate(() => app.ids('%'))).toHaveLength(2);
  expect(await tabs[0]?.evaluate(() => app.problems)).toEqual(['NOT_KEPT']);
});

test('a damaged database is put aside, and what waits for upload is in the new one', async () => {
  const page = await browser.tab('damaged');
  await page.evaluate(() => app.write('mine', 'body'));
  const at = await page.evaluate(async () => {
    const root = `SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) AS at FROM sqlite_schema
      WHERE name = 'sluice_kv'`;
    return (await app.db.get<{ at: number }>(root)).at;
  });
  await page.evaluate(() => app.db.close());
  await page.evaluate(async (start) => {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle('sluice')).getDirectoryHandle('db-damaged');
    const handle = await folder.getFileHandle('1.db');
    const writable = await handle.createWritable({ keepExistingData: true });
    await writable.write({
      type: 'write',
      position: start,
      data: new Uint8Array(4_000).fill(0x5a),
    });
    await writable.close();
  }, at);
  for (let start = 1; start <= 2; start++) {
    await browser.show(page, 'damaged');
    expect(await page.evaluate(() => app.problems)).toEqual(
      start === 1 ? ['DATABASE_DAMAGED'] : [],
    );
    expect((await page.evaluate(() => app.db.getUploadQueueStats())).count).toBe(start);
    await page.evaluate((id) => app.write(id, 'body'), `again-${start}`);
  }
});

test('what a browser evicts is gone as a whole: the app begins anew, as on a new device', async () => {
  const page = await browser.tab('evicted');
  await page.evaluate(() => app.write('before', 'body'));
  const clientId = await page.evaluate(() => app.db.getClientId());
  await page.goto('about:blank');
  const session = await browser.context.newCDPSession(page);
  const { origin } = new URL(browser.url);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  await browser.show(page, 'evicted');
  expect(await page.evaluate(() => app.db.storage)).toBe('kept');
  expect(await page.evaluate(() => app.ids('%'))).toEqual([]);
  expect((await page.evaluate(() => app.db.getUploadQueueStats())).count).toBe(0);
  expect(await page.evaluate(() => app.db.getClientId())).not.toBe(clientId);
  await page.evaluate(() => app.write('after', 'body'));
  expect(await page.evaluate(() => app.ids('%'))).toEqual(['after']);
  expect(await page.evaluate(() => app.problems)).toEqual([]);
});
