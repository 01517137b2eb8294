import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import { findChromium } from '../../../tools/test/find-chromium.mjs';

/** Starts the browser of this machine; the tests talk to loopback only. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(launchOptions());
}

/**
 * The same with a profile in `dir`, as people have: in a context without one, as in private windows, the origin's private file system is in
 * another process's memory, and slow.
 */
export function launchProfile(dir: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(dir, launchOptions());
}

function launchOptions() {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium is not installed');
  return {
    executablePath,
    headless: true,
    // Root, as in most containers, has no sandbox.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}
