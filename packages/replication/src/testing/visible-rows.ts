import { BucketReplica, decodeOpElements } from '@sluice/protocol';
import type { BucketStorage, Generation, GenerationReader } from '@sluice/storage';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';

/** What a user's client would hold, from a download from nothing of what serves. */
export async function visibleRows(storage: BucketStorage, user: string): Promise<string[]> {
  const active = (await storage.generations()).find(({ state }) => state === 'active');
  return active === undefined ? [] : rowsIn(storage, active, user);
}

/** As `visibleRows`, of a generation whatever its state is by now. */
export async function rowsIn(
  storage: BucketStorage,
  active: Generation,
  user: string,
): Promise<string[]> {
  await using reader = await storage.openReader(active.id);
  const rows: string[] = [];
  for (const { name, definition } of await bucketsOf(active, reader, user)) {
    const replica = await download(reader, name);
    for (const put of replica.rows()) rows.push(`${definition}: ${put.objectType} ${put.data}`);
  }
  return rows.toSorted();
}

/** The user's buckets in the serving config. */
export async function bucketsOf(active: Generation, reader: GenerationReader, user: string) {
  const { text, prefixes } = active.configs.serving;
  const request = {
    claims: { sub: user },
    parameters: {},
    includeDefaults: true,
    subscriptions: [],
  };
  const resolver = planOf(text).resolver(request, new Map(Object.entries(prefixes)));
  const at = reader.checkpoint()?.opId ?? 0n;
  return (await resolver.resolve((keys) => reader.lookup(keys, at), 1000)).buckets;
}

async function download(reader: GenerationReader, bucket: string): Promise<BucketReplica> {
  const replica = new BucketReplica();
  const upTo = reader.checkpoint()?.opId ?? 0n;
  for (;;) {
    const chunk = await reader.readOps({ bucket, after: replica.lastOpId, upTo, maxBytes: 1e6 });
    if (chunk === undefined) break;
    replica.apply(chunk.parts.flatMap((part) => decodeOpElements(part)));
  }
  const [state] = await reader.bucketStates([bucket], upTo);
  if (replica.checksum !== (state?.checksum ?? 0)) throw new Error(`Checksum of ${bucket}`);
  return replica;
}

const plans = new Map<string, SyncPlan>();

/** Compiles each text once. */
function planOf(text: string): SyncPlan {
  const known = plans.get(text);
  if (known !== undefined) return known;
  const { plan, diagnostics } = compileSyncConfig(text, { defaultSchema: 'public' });
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  plans.set(text, plan);
  return plan;
}
