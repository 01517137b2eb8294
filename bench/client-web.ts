import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { launchProfile } from '../tests/support/browser/chromium.ts';
import { PageServer } from '../tests/support/browser/page-server.ts';
import { BrowserUse } from './client/browser-use.ts';
import { buildPages } from './client/build-pages.ts';
import { withClientWorld, type ClientWorld } from './client/client-world.ts';
import { compare } from './client/compare.ts';
import { traceWorkers } from './client/trace-workers.ts';
import type { Figure } from './harness.ts';
// Types of what the pages declare.
import type {} from './client/page/bench-page.ts';

/** `npm run bench -- --only client-web`: our client beside `@powersync/web` in Chromium, each in a browser of its own. */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string', default: '30000' },
    runs: { type: 'string', default: '3' },
    inserts: { type: 'string', default: '1000' },
    megabytes: { type: 'string', default: '0' },
    vfs: { type: 'string', default: 'IDBBatchAtomicVFS,OPFSCoopSyncVFS,OPFSWriteAheadVFS' },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});
const rows = Number(options.rows);
const inserts = Number(options.inserts);
const CONTENDERS = ['sluice', ...options.vfs.split(',').filter((vfs) => vfs !== '')];

async function measure(contender: string, world: ClientWorld, site: string): Promise<Figure[]> {
  const profile = path.join(world.dir, `profile-${contender}`);
  await mkdir(profile);
  const context = await launchProfile(profile);
  try {
    return await measureIn(context, { contender, world, site, profile });
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Place {
  readonly contender: string;
  readonly world: ClientWorld;
  readonly site: string;
  readonly profile: string;
}

async function measureIn(
  context: BrowserContext,
  { contender, world, site, profile }: Place,
): Promise<Figure[]> {
  const page = await openPage(context, contender, site);
  const given = { access: world.access, name: 'bench', vfs: contender };
  const use = new BrowserUse(profile);
  const emptyMb = await use.now();
  await page.evaluate((each) => benchPage.open(each), given);
  const openMb = await use.now();
  use.start();
  const cpuBefore = await use.cpuSeconds();
  const trace = options['cpu-prof'];
  const sync = () => page.evaluate((count) => benchPage.sync(count), rows);
  const figures = await (trace === undefined
    ? sync()
    : traceWorkers(page, path.join(trace, `${contender}.json`), sync));
  const cpu = { name: 'first sync, processor time', unit: 's', higherIsBetter: false };
  figures.push({ ...cpu, value: (await use.cpuSeconds()) - cpuBefore });
  const peakMb = use.stop();
  if (inserts > 0) {
    const counts = [rows, inserts] as const;
    figures.push(...(await page.evaluate((given) => benchPage.local(...given), counts)));
  }
  await page.evaluate((count) => benchPage.padAndClose(count), Number(options.megabytes));
  await page.close();
  const anew = await openPage(context, contender, site);
  figures.push(await anew.evaluate((each) => benchPage.coldStart(each), given));
  figures.push(
    {
      name: 'memory, open: above an empty page',
      unit: 'MB',
      value: openMb - emptyMb,
      higherIsBetter: false,
    },
    {
      name: 'memory, first sync: above that',
      unit: 'MB',
      value: peakMb - openMb,
      higherIsBetter: false,
    },
  );
  return figures;
}

async function openPage(context: BrowserContext, contender: string, site: string): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(contender, error));
  await page.goto(`${site}${contender === 'sluice' ? 'sluice' : 'powersync'}.html`);
  return page;
}

await withClientWorld(rows, async (world) => {
  const site = path.join(world.dir, 'site');
  await buildPages(site);
  await using server = await PageServer.start(site);
  await compare(
    { contenders: CONTENDERS, runs: Number(options.runs), rows, json: options.json },
    (name) => measure(name, world, server.url),
  );
});
