import { until } from '@sluice/testing';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { AppBrowser } from './support/web-client/app-browser.ts';
import { useAppBrowser } from './support/web-client/use-app-browser.ts';
// Types of what the page declares.
import type {} from './support/web-client/page/main.ts';

let browser: AppBrowser;

useAppBrowser((opened) => (browser = opened));

const problems = (page: Page) => page.evaluate(() => app.problems);
const ids = (page: Page) => page.evaluate(() => app.ids('%'));
const write = (page: Page, id: string) => page.evaluate((name) => app.write(name, 'body'), id);

test('an app keeps its data over a reload, under a strict content security policy', async () => {
  const page = await browser.tab('kept');
  expect(await page.evaluate(() => app.db.storage)).toBe('kept');
  await write(page, 'a');
  await browser.show(page, 'kept');
  expect(await ids(page)).toEqual(['a']);
  expect(await page.evaluate(() => app.requestPersistence())).toBeTypeOf('boolean');
  expect(await problems(page)).toEqual([]);
  expect(browser.errors).toEqual([]);
});

test('four tabs have one database: each sees the writes of all, at once in its watched queries', async () => {
  const tabs = [];
  for (let n = 0; n < 4; n++) tabs.push(await browser.tab('four'));
  for (const tab of tabs) {
    await tab.evaluate(() => {
      app.db.watch('SELECT id FROM notes', [], {
        onResult: (rows) => (document.title = String(rows.array.length)),
      });
    });
  }
  await Promise.all(
    tabs.flatMap((tab, n) => [0, 1, 2, 3, 4].map((at) => write(tab, `t${n}-${at}`))),
  );
  for (const tab of tabs) {
    expect(await ids(tab)).toHaveLength(20);
    await until('the watch has all', async () => (await tab.title()) === '20', 5_000);
    expect(await problems(tab)).toEqual([]);
  }
  const locks = await browser.context.pages()[1]?.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    return held.filter(({ name }) => name?.endsWith(':leader')).length;
  });
  expect(locks).toBe(1);
});

test('a watched query that has rested has the result of a local write one trip to the worker after it, with no timer in between', async () => {
  const page = await browser.tab('frame');
  const seen = await page.evaluate(async () => {
    let count = -1;
    let toldAt = performance.now();
    const beganAt = toldAt;
    const onResult = (rows: { readonly array: readonly unknown[] }) => {
      count = rows.array.length;
      toldAt = performance.now();
    };
    app.db.watch('SELECT id FROM notes', [], { onResult }, { throttleMs: 0 });
    const frame = () => new Promise(requestAnimationFrame);
    while (count < 0) await frame();
    // Runs take turns with rests of their own length.
    const restedAt = toldAt + 2 * (toldAt - beganAt);
    while (performance.now() < restedAt) await frame();
    await app.write('a', 'body');
    // The worker answers in order, and was asked for the result before this.
    await app.db.get('SELECT 1');
    return count;
  });
  expect(seen).toBe(1);
});

test('tabs that share a database may each have another form of integers', async () => {
  const [exact, plain] = [await browser.tab(), await browser.tab()];
  await exact.evaluate(() => app.open('modes', { integerMode: 'bigint' }));
  await plain.evaluate(() => app.open('modes'));
  await plain.evaluate(async () => {
    const insert = 'INSERT INTO notes (id, stars) VALUES (?, ?), (?, ?)';
    await app.db.execute(insert, ['a', 5, 'b', 2n ** 63n - 1n]);
  });
  const stars = () => app.db.getAll('SELECT stars FROM notes ORDER BY id');
  expect(await exact.evaluate(stars)).toEqual([{ stars: 5n }, { stars: 2n ** 63n - 1n }]);
  expect(await plain.evaluate(stars)).toEqual([{ stars: 5 }, { stars: 2n ** 63n - 1n }]);
  const entries = () => app.db.getCrudBatch().then((batch) => batch?.crud[0]?.opData);
  expect(await exact.evaluate(entries)).toEqual({ stars: 5n });
  expect(await plain.evaluate(entries)).toEqual({ stars: 5 });
  const told = await exact.evaluate(async () => {
    const { value } = await app.db.watch<{ stars: bigint }>('SELECT stars FROM notes').next();
    return value?.array.map(({ stars: each }: { stars: bigint }) => typeof each);
  });
  expect(told).toEqual(['bigint', 'bigint']);
});

/** Ways in which the tab that leads goes. */
const ENDS: readonly [string, (page: Page) => Promise<unknown>][] = [
  ['is closed', (page) => page.close()],
  ['closes the database', (page) => page.evaluate(() => app.db.close())],
  [
    'loses its worker, as for want of memory,',
    (page) => page.workers()[0]?.evaluate(() => close()) ?? Promise.resolve(),
  ],
  ['goes elsewhere', (page) => page.goto('about:blank')],
  [
    'crashes',
    async (page) => {
      const session = await browser.context.newCDPSession(page);
      const crashed = new Promise((resolve) => page.once('crash', resolve));
      session.send('Page.crash').catch(() => undefined); // it does not live to answer
      await crashed;
    },
  ],
];

test.each(ENDS)(
  'when the tab that leads %s, another one goes on, and every write is done once',
  async (_, end) => {
    const leader = await browser.tab('hand-over');
    const tabs = [await browser.tab('hand-over'), await browser.tab('hand-over')];
    await write(leader, 'by-leader');
    const writing = tabs.map((tab, n) =>
      tab.evaluate(async (name) => {
        for (let at = 0; at < 60; at++)
          await app.write(`${name}-${String(at).padStart(2, '0')}`, 'b');
        return app.db.get('SELECT 1');
      }, `tab${n}`),
    );
    await until('some are written', async () => (await ids(leader)).length > 10);
    await end(leader);
    const beganAt = Date.now();
    await Promise.race(tabs.map((tab) => write(tab, `late-${Math.random()}`)));
    const handOverMs = Date.now() - beganAt;
    await Promise.all(writing);
    for (const tab of tabs) {
      // Each id once: a second INSERT of it would have failed.
      expect((await ids(tab)).filter((id) => id.startsWith('tab'))).toHaveLength(120);
      expect(await ids(tab)).toContain('by-leader');
      expect(await problems(tab)).toEqual([]);
    }
    console.info(`hand-over: ${handOverMs} ms`);
    expect(handOverMs).toBeLessThan(10_000);
  },
);

test('a page whose worker dies begins another one, and goes on', async () => {
  const page = await browser.tab('alone');
  await write(page, 'before');
  await page.workers()[0]?.evaluate(() => close());
  await write(page, 'after');
  expect(await ids(page)).toEqual(['after', 'before']);
  expect(await problems(page)).toEqual([]);
});

test('through a storm of reloads and closed tabs no acknowledged write is lost, and none is done twice', async () => {
  let tabs = [await browser.tab('storm'), await browser.tab('storm'), await browser.tab('storm')];
  const acknowledged: string[] = [];
  for (let round = 0; round < 12; round++) {
    const [first, ...others] = tabs;
    if (first === undefined) throw new Error('There are tabs');
    const writes = tabs.map((tab, n) =>
      write(tab, `r${round}-${n}`).then(
        () => acknowledged.push(`r${round}-${n}`),
        () => undefined, // its page went while it waited
      ),
    );
    if (round % 3 === 0) {
      await first.close();
      tabs = [...others, await browser.tab('storm')];
    } else if (round % 3 === 1) {
      await Promise.all(tabs.map((tab) => browser.show(tab, 'storm')));
    } else {
      await browser.show(first, 'storm');
    }
    await Promise.all(writes);
  }
  for (const tab of tabs) {
    expect(await ids(tab)).toEqual(expect.arrayContaining(acknowledged));
    expect(await tab.evaluate(() => app.db.get('PRAGMA quick_check'))).toEqual({
      quick_check: 'ok',
    });
    expect(await problems(tab)).toEqual([]);
  }
});
