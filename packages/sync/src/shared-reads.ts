import type { OpId } from '@sluice/model';
import type { GenerationReader, OpsChunk, ReadOps } from '@sluice/storage';
import type { BucketNode } from './bucket-index.ts';
import type { CacheCounts } from './cache-counts.ts';
import type { ReadGate, ReadLane } from './read-gate.ts';

export interface BucketRead {
  readonly after: OpId;
  readonly upTo: OpId;
  readonly fresh: ReadOps['fresh'];
}

interface RunningRead extends BucketRead {
  readonly answer: Promise<OpsChunk | undefined>;
}

export interface SharedReadsOptions {
  readonly reader: GenerationReader;
  readonly gate: ReadGate;
  readonly maxBytes: number;
  readonly counts: CacheCounts;
}

/**
 * Reads of operations through the gate. Sessions that want the same operations of a bucket while
 * they are being read get the same chunk: a change to a bucket that thousands have is read once.
 */
export class SharedReads {
  readonly #reader: GenerationReader;
  readonly #gate: ReadGate;
  readonly #maxBytes: number;
  readonly #counts: CacheCounts;
  /** The read of each bucket that was started last, while it runs. */
  readonly #running = new WeakMap<BucketNode, RunningRead>();

  constructor({ reader, gate, maxBytes, counts }: SharedReadsOptions) {
    this.#reader = reader;
    this.#gate = gate;
    this.#maxBytes = maxBytes;
    this.#counts = counts;
  }

  read(node: BucketNode, read: BucketRead, lane: ReadLane): Promise<OpsChunk | undefined> {
    const running = this.#running.get(node);
    if (running !== undefined && isSame(running, read)) {
      this.#counts.readsShared += 1;
      return running.answer;
    }
    this.#counts.readsMade += 1;
    const answer = this.#gate.run(() => {
      const { after, upTo, fresh } = read;
      const maxBytes = this.#maxBytes;
      return this.#reader.readOps({ bucket: node.name, after, upTo, maxBytes, fresh });
    }, lane);
    const started = { ...read, answer };
    this.#running.set(node, started);
    const forget = () => {
      if (this.#running.get(node) === started) this.#running.delete(node);
    };
    answer.then(forget, forget);
    return answer;
  }
}

function isSame(a: BucketRead, b: BucketRead): boolean {
  return a.after === b.after && a.upTo === b.upTo && a.fresh === b.fresh;
}
