import { existsSync } from 'node:fs';

/** Where distributions put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The browser that tests use: the one that SLUICE_CHROMIUM names, or else the one of this machine.
 *
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env.SLUICE_CHROMIUM;
  return (named ? [named] : PLACES).find((place) => existsSync(place));
}
