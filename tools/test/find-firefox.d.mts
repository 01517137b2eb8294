/** The browser that tests use: the one that SLUICE_FIREFOX names, or else the one of this machine. */
export function findFirefox(): string | undefined;
