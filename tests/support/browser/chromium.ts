import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../../../tools/test/find-chromium.mjs';

/** Starts the browser of this machine; the tests talk to loopback only. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium is not installed');
  return chromium.launch({
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
  });
}
