import { until } from '@sluice/testing';
import type { CDPSession, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { AppBrowser } from './support/web-client/app-browser.ts';
import { useAppBrowser } from './support/web-client/use-app-browser.ts';
// Types of what the page declares.
import type {} from './support/web-client/page/main.ts';

/** A minute in apps. */
const MAX_BUSY_MS = 3_000;
/** After which calls wait for the next leader for so long, whatever the app says. */
const HAND_OVER_MS = 15_000;

let browser: AppBrowser;

useAppBrowser((opened) => (browser = opened));

/** Tabs of one database, of which the first leads. */
async function openTabs(database: string): Promise<readonly [Page, Page]> {
  const tabs = [await browser.tab(), await browser.tab()] as const;
  for (const tab of tabs) {
    await tab.evaluate(({ name, options }) => app.open(name, options), {
      name: database,
      options: { maxBusyMs: MAX_BUSY_MS },
    });
  }
  return tabs;
}

const problems = (page: Page) => page.evaluate(() => app.problems);
const ids = (page: Page) => page.evaluate(() => app.ids('%'));
const write = (page: Page, id: string) => page.evaluate((name) => app.write(name, 'body'), id);
/** The code that a write is refused by. */
const refusal = (page: Page, id: string) =>
  page.evaluate(
    (name) =>
      app.write(name, 'body').then(
        () => undefined,
        (error: { readonly code?: unknown }) => error.code,
      ),
    id,
  );

/** The worker does nothing else from now on. */
async function loopForEver(page: Page): Promise<void> {
  await page.workers()[0]?.evaluate(() => {
    setTimeout(() => {
      for (;;);
    });
  });
}

test('when the page that leads is frozen, another one leads within seconds; what it writes meanwhile is there when the page wakes', async () => {
  const [leader, follower] = await openTabs('frozen');
  await write(leader, 'before');
  const session = await browser.context.newCDPSession(leader);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  const beganAt = Date.now();
  await write(follower, 'meanwhile');
  expect(Date.now() - beganAt).toBeLessThan(MAX_BUSY_MS);
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await write(leader, 'after');
  for (const tab of [leader, follower]) {
    expect(await ids(tab)).toEqual(['after', 'before', 'meanwhile']);
    expect(await problems(tab)).toEqual([]);
  }
});

test('a worker that hangs is ended by its page; all tabs go on, and no write is done twice', async () => {
  const [leader, follower] = await openTabs('loop');
  await write(leader, 'before');
  await loopForEver(leader);
  const beganAt = Date.now();
  await Promise.all([write(leader, 'by-leader'), write(follower, 'by-follower')]);
  const tookMs = Date.now() - beganAt;
  expect(tookMs).toBeGreaterThan(MAX_BUSY_MS / 2);
  expect(tookMs).toBeLessThan(MAX_BUSY_MS + HAND_OVER_MS);
  for (const tab of [leader, follower]) {
    expect(await ids(tab)).toEqual(['before', 'by-follower', 'by-leader']);
  }
  expect(await problems(leader)).toContain('WORKER_HUNG');
});

/** Stops a page and its worker where they are, as a debugger or an operating system does: no event tells them before. */
async function stop(page: Page): Promise<() => Promise<void>> {
  const session = await browser.context.newCDPSession(page);
  const workerSession = await attachToWorker(session);
  await workerSession('Debugger.enable');
  await workerSession('Debugger.pause');
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  return async () => {
    await workerSession('Debugger.disable');
    await session.send('Debugger.disable');
  };
}

/** Sends commands to a page's worker. */
async function attachToWorker(page: CDPSession): Promise<(method: string) => Promise<void>> {
  const attached = new Promise<string>((resolve) => {
    page.once('Target.attachedToTarget', ({ sessionId }) => resolve(sessionId));
  });
  await page.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const sessionId = await attached;
  let commands = 0;
  return async (method) => {
    const message = JSON.stringify({ id: (commands += 1), method });
    await page.send('Target.sendMessageToTarget', { sessionId, message });
  };
}

test('while the tab that leads stands still as a whole, calls of others are refused by a code, also of one that opens; all go on when it wakes', async () => {
  const [leader, follower] = await openTabs('still');
  await write(leader, 'before');
  const goOn = await stop(leader);
  const beganAt = Date.now();
  const refused = refusal(follower, 'refused');
  const late = await browser.tab();
  const opening = late.evaluate(
    (options) =>
      app.open('still', options).then(
        () => undefined,
        (error: { readonly code?: unknown }) => error.code,
      ),
    { maxBusyMs: MAX_BUSY_MS },
  );
  expect(await opening).toBe('LEADER_SILENT');
  expect(await refused).toBe('LEADER_SILENT');
  expect(Date.now() - beganAt).toBeLessThan(MAX_BUSY_MS + HAND_OVER_MS + 5_000);
  expect(await problems(follower)).toEqual(['LEADER_SILENT']);
  expect(await refusal(follower, 'at-once')).toBe('LEADER_SILENT');
  await goOn();
  await until('it goes on', async () => (await refusal(follower, 'after')) === undefined);
  // Of the refused write nobody knows whether it was done, but it was not done twice.
  const expected = expect.arrayContaining(['after', 'before']);
  for (const tab of [leader, follower]) expect(await ids(tab)).toEqual(expected);
  await write(leader, 'by-leader');
});
