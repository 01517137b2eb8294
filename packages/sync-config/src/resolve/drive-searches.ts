import { SyncError } from '@sluice/base';
import type { LookupFunction } from '../contract.ts';
import type { Search } from './find-buckets.ts';

/**
 * Runs searches side by side: the keys that all of them wait for go into one lookup call per round.
 * The number of rounds is bounded by the stages of the longest query.
 */
export async function driveSearches<T>(
  searches: readonly Search<T>[],
  lookup: LookupFunction,
  lookupKeys: Set<string>,
  maxKeys: number,
): Promise<(T | undefined)[]> {
  const results = searches.map((): T | undefined => undefined);
  let waiting: { readonly index: number; readonly keys: readonly string[] }[] = [];
  const advance = (index: number, answer: ReadonlyMap<string, readonly string[]>) => {
    const step = searches[index]?.next(answer);
    if (step === undefined) return;
    if (step.done === true) results[index] = step.value;
    else waiting.push({ index, keys: step.value });
  };
  searches.forEach((_, index) => advance(index, new Map()));
  while (waiting.length > 0) {
    const round = waiting;
    waiting = [];
    const keys = [...new Set(round.flatMap((entry) => entry.keys))];
    if (keys.length > maxKeys) throw tooManyKeys(keys.length, maxKeys);
    for (const key of keys) lookupKeys.add(key);
    const found = await lookup(keys);
    for (const { index } of round) advance(index, found);
  }
  return results;
}

function tooManyKeys(count: number, max: number): SyncError {
  const message = `The parameter queries of the client look up ${count} keys, more than ${max}`;
  return new SyncError('SYNC_TOO_MANY_PARAMETER_RESULTS', message, { details: { count, max } });
}
