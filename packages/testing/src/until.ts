const POLL_MS = 20;

/**
 * Polls until `check` gives something other than undefined and false, and gives that.
 *
 * @throws Error that names what was waited for, after `timeoutMs`.
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await check();
    // Excluded on this very line, which the compiler does not follow for a type parameter.
    if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
