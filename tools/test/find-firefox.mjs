import { existsSync } from 'node:fs';

/** Where distributions put it. */
const PLACES = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];

/**
 * The Firefox that tests use: the one that SLUICE_FIREFOX names, or else the one of this machine.
 *
 * @returns {string | undefined}
 */
export function findFirefox() {
  const named = process.env.SLUICE_FIREFOX;
  return (named ? [named] : PLACES).find((place) => existsSync(place));
}
