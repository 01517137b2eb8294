import type { StorageStats } from '@sluice/storage';
import type { SyncStats } from '@sluice/sync';
import { addedUploads, NO_UPLOADS, type UploadCounts } from '../write-api/upload-counts.ts';
import type { StreamCounts } from '../http/stream-registry.ts';

type Counts = Readonly<Record<string, number>>;

/** What a process that serves clients has done and does now. Can be cloned. */
export interface Traffic {
  readonly streams: StreamCounts;
  /** Depths of queues. */
  readonly queues: Counts;
  /** Undefined while storage is not open. */
  readonly sync: SyncStats | undefined;
  readonly caches: StorageStats['caches'];
  /** What the write API has done. */
  readonly uploads: UploadCounts;
}

export const NO_TRAFFIC: Traffic = {
  streams: {
    open: { http: 0, websocket: 0 },
    closed: {
      client_left: 0,
      client_too_slow: 0,
      token_expired: 0,
      shutting_down: 0,
      config_changed: 0,
      failed: 0,
    },
    tooSlow: { http: 0, websocket: 0 },
  },
  queues: {},
  sync: undefined,
  caches: {},
  uploads: NO_UPLOADS,
};

/** That of several processes. A bucket that clients of two of them have counts twice. */
export function summedTraffic(parts: readonly Traffic[]): Traffic {
  return parts.reduce(
    (sum, part) => ({
      streams: {
        open: added(sum.streams.open, part.streams.open),
        closed: added(sum.streams.closed, part.streams.closed),
        tooSlow: added(sum.streams.tooSlow, part.streams.tooSlow),
      },
      queues: added(sum.queues, part.queues),
      sync: sum.sync && part.sync ? added(sum.sync, part.sync) : (sum.sync ?? part.sync),
      caches: addedCaches(sum.caches, part.caches),
      uploads: addedUploads(sum.uploads, part.uploads),
    }),
    NO_TRAFFIC,
  );
}

/** What remains of a process that has ended: counters may never fall. */
export function trafficThatWas({ streams, sync, caches, uploads }: Traffic): Traffic {
  return {
    uploads,
    streams: { ...streams, open: NO_TRAFFIC.streams.open },
    queues: {},
    sync: sync && { ...sync, connections: 0, readsRunning: 0, readsWaiting: 0, buckets: 0 },
    caches: Object.fromEntries(
      Object.entries(caches).map(([name, cache]) => [name, { ...cache, bytes: 0 }]),
    ),
  };
}

function addedCaches(a: Traffic['caches'], b: Traffic['caches']): Traffic['caches'] {
  const sums = { ...a };
  for (const [name, cache] of Object.entries(b)) {
    const before = sums[name];
    sums[name] = before === undefined ? cache : added(before, cache);
  }
  return sums;
}

/** The sums by name; what only one has is taken from it. */
export function added<T extends { readonly [name in keyof T]: number }>(a: T, b: T): T {
  const sums: Record<string, number> = { ...a };
  for (const [name, amount] of Object.entries<number>(b)) sums[name] = (sums[name] ?? 0) + amount;
  return sums as T; // the names of both
}
