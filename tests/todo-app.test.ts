import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommand, RunningCommand } from '../apps/cli/src/testing/running-command.ts';
import { findChromium } from '../tools/test/find-chromium.mjs';
import { launchChromium } from './support/browser/chromium.ts';

const SCREENSHOTS = path.resolve('.cache/screenshots');
const WAIT = { timeout: 30_000 };

let dir: string;
beforeAll(async () => {
  buildCommand();
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, ['tools/start/build-todo.mjs'], { stdio: 'inherit', env });
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-todo-'));
  await chmod(dir, 0o755); // as root, the database runs as another user and must get in
  await mkdir(SCREENSHOTS, { recursive: true });
}, 180_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The app in a browser profile of its own, as a person uses it. */
class Person {
  readonly page: Page;
  readonly #errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.#errors.push(String(error)));
  }

  static async open(browser: Browser, url: string, userId: string): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 760 } });
    const person = new Person(await context.newPage());
    await person.page.goto(`${url}/?user=${userId}`);
    await person.sees('In step');
    return person;
  }

  async sees(text: string): Promise<void> {
    await this.page.getByText(text, { exact: true }).first().waitFor(WAIT);
  }

  async seesNo(text: string): Promise<void> {
    await this.page.getByText(text, { exact: true }).waitFor({ ...WAIT, state: 'detached' });
  }

  /** Waits until these are the texts of the open list, from the top. */
  async seesTodos(...texts: readonly string[]): Promise<void> {
    const fields = this.page.locator('.todos .text');
    const values = () =>
      fields.evaluateAll((all) => all.map((field) => (field as HTMLInputElement).value));
    await expect.poll(values, WAIT).toEqual(texts);
  }

  async add(placeholder: string, text: string): Promise<void> {
    const field = this.page.getByPlaceholder(placeholder);
    await field.fill(text);
    await field.press('Enter');
  }

  async openList(name: string): Promise<void> {
    await this.page.locator('nav').getByText(name, { exact: true }).click(WAIT);
  }

  async rewrite(from: string, to: string): Promise<void> {
    const field = this.page.locator(`main .text[value="${from}"]`);
    await field.fill(to, WAIT);
    await field
      .or(this.page.locator(`main .text[value="${to}"]`))
      .first()
      .press('Enter');
  }

  async check(text: string): Promise<void> {
    await this.page.getByLabel(`Done: ${text}`).click(WAIT);
  }

  /** Or no more, in the open list of people. */
  async shareWith(name: string): Promise<void> {
    await this.page.locator('.sharing li').getByText(name).click(WAIT);
  }

  async goOffline(offline: boolean): Promise<void> {
    await this.page.getByLabel('Offline').setChecked(offline);
    await this.sees(offline ? 'Offline' : 'In step');
  }

  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  }

  expectNoErrors(): void {
    expect(this.#errors).toEqual([]);
  }
}

test.skipIf(findChromium() === undefined)(
  'two people share a list, write at the same time, offline too, and hear of what was refused',
  async () => {
    const home = path.join(dir, '.sluice');
    await using dev = new RunningCommand(['dev', '--dir', home, '--port', '0']);
    await dev.waitFor(/Ctrl-C stops everything/, 60_000);
    const { serviceUrl } = JSON.parse(await readFile(path.join(home, 'dev.json'), 'utf8')) as {
      serviceUrl: string;
    };
    const browser = await launchChromium();
    try {
      const alice = await Person.open(browser, serviceUrl, 'alice');
      const bob = await Person.open(browser, serviceUrl, 'bob');

      await alice.add('New list', 'Camping');
      await alice.add('What is to be done?', 'Tent');
      await alice.page.getByText('Share', { exact: true }).click();
      await alice.shareWith('Bob');
      await alice.picture('alice shares');
      await bob.openList('Camping');
      await bob.seesTodos('Tent');
      await bob.add('What is to be done?', 'Stove');
      await alice.seesTodos('Stove', 'Tent');
      await bob.check('Stove');
      await alice.seesTodos('Tent', 'Stove');

      // Both change the same row while one is offline: the last write to arrive wins.
      await bob.goOffline(true);
      await bob.rewrite('Tent', 'Big tent');
      await bob.add('What is to be done?', 'Rope');
      await bob.sees('2 changes wait');
      await bob.picture('bob is offline');
      await alice.rewrite('Tent', 'Red tent');
      await alice.seesTodos('Red tent', 'Stove');
      await bob.goOffline(false);
      for (const person of [alice, bob]) await person.seesTodos('Rope', 'Big tent', 'Stove');
      await bob.seesNo('2 changes wait');

      // What the rules do not allow is undone, and said.
      await bob.rewrite('Camping', "Bob's list");
      await bob.sees('A change was refused');
      await bob.picture('bob is refused');
      await bob.sees('Camping');
      await alice.add('What is to be done?', 'x'.repeat(201));
      await alice.sees('A todo has at most 200 letters');
      await alice.seesTodos('Rope', 'Big tent', 'Stove');
      await alice.page.getByText('Understood').click();
      await alice.seesNo('A change was refused');

      // Sharing ends, and the list goes from the other's device.
      await alice.shareWith('Bob');
      await bob.seesNo('Camping');
      await alice.picture('alice at the end');
      for (const person of [alice, bob]) person.expectNoErrors();
    } finally {
      await browser.close();
    }
  },
);
