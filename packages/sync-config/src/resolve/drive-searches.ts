import { pacedEach, SyncError, type Pace } from '@sluice/base';
import type { LookupFunction } from '../contract.ts';
import { PAUSE, type Search } from './find-buckets.ts';

export interface DriveOptions {
  readonly lookup: LookupFunction;
  /** Gets every key that was asked for. */
  readonly lookupKeys: Set<string>;
  /** Of one round. */
  readonly maxKeys: number;
  readonly pace: Pace;
}

type Answers = ReadonlyMap<string, readonly string[]>;

/** What a search does after an answer: it waits for keys, or is over. */
type Advance<T> =
  { readonly keys: readonly string[] } | { readonly keys: undefined; readonly result: T };

const NO_ANSWERS: Answers = new Map();

/**
 * Runs searches side by side: the keys that all of them wait for go into one lookup call per round.
 * The number of rounds is bounded by the stages of the longest query.
 */
export async function driveSearches<T>(
  searches: readonly Search<T>[],
  { lookup, lookupKeys, maxKeys, pace }: DriveOptions,
): Promise<(T | undefined)[]> {
  const results = searches.map((): T | undefined => undefined);
  let waiting: readonly number[] = [...searches.keys()];
  let found = NO_ANSWERS;
  for (;;) {
    const round = waiting;
    const keys = new Set<string>();
    const next: number[] = [];
    for (const index of round) {
      const search = searches[index];
      if (search === undefined) continue;
      const advance = await advanceSearch(search, found, pace);
      if (advance.keys === undefined) {
        results[index] = advance.result;
        continue;
      }
      next.push(index);
      await pacedEach(advance.keys, pace, (key) => {
        keys.add(key);
        lookupKeys.add(key);
      });
    }
    if (next.length === 0) return results;
    if (keys.size > maxKeys) throw tooManyKeys(keys.size, maxKeys);
    found = await lookup([...keys]);
    waiting = next;
  }
}

async function advanceSearch<T>(
  search: Search<T>,
  answers: Answers,
  pace: Pace,
): Promise<Advance<T>> {
  let step = search.next(answers);
  while (step.done !== true) {
    if (step.value !== PAUSE) return { keys: step.value };
    const turn = pace.giveWay();
    if (turn !== undefined) await turn;
    step = search.next(NO_ANSWERS);
  }
  return { keys: undefined, result: step.value };
}

function tooManyKeys(count: number, max: number): SyncError {
  const message = `The parameter queries of the client look up ${count} keys, more than ${max}`;
  return new SyncError('SYNC_TOO_MANY_PARAMETER_RESULTS', message, { details: { count, max } });
}
