/** Full jitter: a random part of a limit that doubles with every failure (spec/client.md 1.5). */
const FIRST_LIMIT_MS = 1_000;
const LARGEST_LIMIT_MS = 60_000;

/** A stream that lasted as long as this was healthy: what failed before it no longer counts. */
export const HEALTHY_MS = 30_000;
/** The service says something about every 20 s; longer silence means that nobody is there. */
export const IDLE_MS = 45_000;
/** After this much silence a hint is reason enough to open the stream anew. */
export const SUSPECT_MS = 25_000;
/** Credentials are fetched ahead when the token has no more than this left. */
export const PREFETCH_SECONDS = 30;

export function retryDelayMs(failures: number, random: number): number {
  const limit = Math.min(LARGEST_LIMIT_MS, FIRST_LIMIT_MS * 2 ** Math.min(failures, 16));
  return Math.round(random * limit);
}
