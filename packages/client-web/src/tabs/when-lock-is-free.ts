/** Resolves with true once nobody holds the lock any more; with false if the signal aborts before. */
export async function whenLockIsFree(name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await navigator.locks.request(name, { signal, mode: 'shared' }, () => undefined);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
