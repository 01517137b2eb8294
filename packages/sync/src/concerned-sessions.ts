import { setImmediate } from 'node:timers/promises';
import { toAppError, type Pace } from '@sluice/base';
import type { BucketPrefixes, RequestContext, SyncPlan } from '@sluice/sync-config';

/** Above this many sessions a sample is looked at. */
const MAX_ASKED = 2000;
/** Sessions looked at before other work has its turn; some ten microseconds each. */
const ASKED_TOGETHER = 50;

/** What a plan would mean for those who are connected now. */
export interface ConcernedSessions {
  readonly sessions: number;
  /** How many of them were looked at; the counts below are of these. Fewer than all: a sample. */
  readonly asked: number;
  /** Sessions that the plan would refuse, because their parameters do not fit (spec 10.8). */
  readonly refused: number;
  /** In the order of the plan. */
  readonly definitions: readonly DefinitionUse[];
}

export interface DefinitionUse {
  readonly name: string;
  readonly hash: string;
  /** Sessions that have it, by default or because they subscribed. */
  readonly takePart: number;
  /** Of these, sessions that certainly get a bucket. */
  readonly withBuckets: number;
  /** Of these, sessions for which lookups decide that are not filled yet. */
  readonly undecided: number;
}

interface Asking {
  readonly asks: RequestContext;
}

/** What one session would get, by names of definitions. */
interface Share {
  readonly takesPart: ReadonlySet<string>;
  readonly hasBuckets: ReadonlySet<string>;
  /** Prefixes of the lookup keys that it asked for. */
  readonly looksUp: ReadonlySet<string>;
}

export interface Counting {
  /** In [0, 1); decides where the sample begins. */
  readonly random: () => number;
  /** For sessions with many buckets. */
  readonly pace: Pace;
}

export async function countConcerned(
  plan: SyncPlan,
  all: ReadonlySet<Asking>,
  { random, pace }: Counting,
): Promise<ConcernedSessions> {
  const sessions = all.size;
  const asked = sample([...all], random);
  const counts = plan.definitions.map(() => ({ takePart: 0, withBuckets: 0, undecided: 0 }));
  const prefixes: BucketPrefixes = new Map(plan.definitions.map(({ hash }, i) => [hash, `${i}#`]));
  let refused = 0;
  for (const [at, { asks }] of asked.entries()) {
    if (at % ASKED_TOGETHER === ASKED_TOGETHER - 1) await setImmediate();
    const share = await shareOf(plan, { prefixes, pace }, asks);
    if (share === undefined) refused += 1;
    else
      plan.definitions.forEach(({ name, hash }, i) => {
        const count = counts[i];
        if (count === undefined || !share.takesPart.has(name)) return;
        count.takePart += 1;
        if (share.hasBuckets.has(name)) count.withBuckets += 1;
        else if (share.looksUp.has(prefixes.get(hash) ?? '')) count.undecided += 1;
      });
  }
  const definitions = plan.definitions.map(({ name, hash }, i) => {
    return { name, hash, takePart: 0, withBuckets: 0, undecided: 0, ...counts[i] };
  });
  return { sessions, asked: asked.length, refused, definitions };
}

/** Every n-th of the sessions in the order of connecting, which mixes users and devices. */
function sample<T>(all: readonly T[], random: () => number): readonly T[] {
  if (all.length <= MAX_ASKED) return all;
  const step = all.length / MAX_ASKED;
  const first = random() * step;
  return Array.from({ length: MAX_ASKED }, (_, i) => all[Math.floor(first + i * step)]).filter(
    (one) => one !== undefined,
  );
}

/** Undefined for a request that the plan refuses. */
async function shareOf(
  plan: SyncPlan,
  { prefixes, pace }: { readonly prefixes: BucketPrefixes; readonly pace: Pace },
  asks: RequestContext,
): Promise<Share | undefined> {
  const looksUp = new Set<string>();
  try {
    const nothing = new Map<string, readonly string[]>();
    const { buckets, streams } = await plan.resolver(asks, prefixes).resolve(
      async (keys) => {
        for (const key of keys) looksUp.add(key.slice(0, key.indexOf('#') + 1));
        return nothing;
      },
      Infinity,
      { pace },
    );
    return {
      takesPart: new Set(streams.map(({ name }) => name)),
      hasBuckets: new Set(buckets.map(({ definition }) => definition)),
      looksUp,
    };
  } catch (error) {
    if (toAppError(error).code === 'SYNC_PARAMETER_ERROR') return undefined;
    throw error;
  }
}
