import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';

/** Runs `body` and writes a trace with profiles of all threads of the page, for the browser's performance panel. */
export async function traceWorkers<T>(
  page: Page,
  file: string,
  body: () => Promise<T>,
): Promise<T> {
  const session = await page.context().newCDPSession(page);
  const events: unknown[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const categories = 'devtools.timeline,disabled-by-default-v8.cpu_profiler';
  await session.send('Tracing.start', { categories, transferMode: 'ReportEvents' });
  const result = await body();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ traceEvents: events }));
  return result;
}
