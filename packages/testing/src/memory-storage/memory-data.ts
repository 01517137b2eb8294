import type { Checkpoint, LookupEntry, OpId } from '@sluice/model';
import type { Op } from '@sluice/protocol';
import type { CheckpointDelta, Generation, StoredTable } from '@sluice/storage';
import { ConflatedFeed } from './conflated-feed.ts';

/** An operation as kept, with the op that superseded it (spec/protocol.md 4.5.4), 0n for none. */
export interface StoredOp {
  readonly op: Op;
  readonly target: OpId;
}

/** One row's output in one bucket. */
export interface BucketOutput {
  readonly bucket: string;
  readonly objectType: string;
  readonly objectId: string;
  readonly data: string;
}

export interface RowState {
  /** How many equal rows there are; 1 for a row with a key, 0 or less for one that is gone. */
  count: number;
  tombstone: boolean;
  copy: Uint8Array | undefined;
  outputs: readonly BucketOutput[];
  lookups: readonly LookupEntry[];
}

interface LookupVersion {
  readonly key: string;
  readonly values: string;
  readonly row: string;
  readonly from: OpId;
  /** Exclusive; undefined while it is there. */
  until: OpId | undefined;
}

/** All that is kept of one generation, in plain collections that `structuredClone` can copy. */
export interface GenerationContent {
  readonly rows: Map<string, RowState>;
  readonly buckets: Map<string, StoredOp[]>;
  readonly lookups: LookupVersion[];
  readonly tables: Map<number, StoredTable>;
  resume: string | undefined;
  checkpoint: Checkpoint | undefined;
  /** What changed since the last checkpoint. */
  readonly changedBuckets: Set<string>;
  readonly changedLookups: Set<string>;
  epoch: number;
}

export function emptyContent(): GenerationContent {
  return {
    rows: new Map(),
    buckets: new Map(),
    lookups: [],
    tables: new Map(),
    resume: undefined,
    checkpoint: undefined,
    changedBuckets: new Set(),
    changedLookups: new Set(),
    epoch: 0,
  };
}

export interface StoredGeneration {
  generation: Generation;
  content: GenerationContent;
  readonly deltas: ConflatedFeed<CheckpointDelta>;
}

/** spec/protocol.md 5.2 */
interface WriteCheckpointRecord {
  readonly value: bigint;
  readonly head: string;
  readonly requestedAtMs?: number | undefined;
}

/** What a disk is to other implementations: several `MemoryStorage` may stand on the same one. */
export class MemoryDisk {
  readonly generations = new Map<number, StoredGeneration>();
  readonly generationFeed = new ConflatedFeed<readonly Generation[]>((_, newer) => newer);
  readonly writeCheckpoints = new Map<string, WriteCheckpointRecord>();
  readonly userFeed = new ConflatedFeed<ReadonlySet<string>>(union);
  nextGenerationId = 1;
  lastFillNumber = 0;
  lastOpId: OpId = 0n;
  /** Who holds the right to write. */
  writer: object | undefined;

  list(): readonly Generation[] {
    return [...this.generations.values()].map((one) => one.generation);
  }
}

export function mergeDeltas(older: CheckpointDelta, newer: CheckpointDelta): CheckpointDelta {
  return {
    checkpoint: newer.checkpoint,
    buckets: unionOrAll(older.buckets, newer.buckets),
    lookups: unionOrAll(older.lookups, newer.lookups),
  };
}

function unionOrAll(a: ReadonlySet<string> | 'all', b: ReadonlySet<string> | 'all') {
  return a === 'all' || b === 'all' ? 'all' : union(a, b);
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a, ...b]);
}
