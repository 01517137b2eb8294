import type { OpId } from '@sluice/model';
import { addChecksums } from './checksum.ts';
import type { Op, PutOp } from './op.ts';

/** What a client keeps of one bucket, by the rules of spec/protocol.md 8.4 and 4.5.8. */
export class BucketReplica {
  /** The live PUT of each identity. */
  readonly #puts = new Map<string, PutOp>();
  #addChecksum = 0;
  #opChecksum = 0;
  #lastOpId: OpId = 0n;

  /** Applies operations in the order in which they were sent. */
  apply(ops: Iterable<Op>): this {
    for (const op of ops) {
      this.#applyOne(op);
      this.#lastOpId = op.opId;
    }
    return this;
  }

  /** To be compared with the checksum that a checkpoint announces; unsigned 32 bit. */
  get checksum(): number {
    return addChecksums(this.#addChecksum, this.#opChecksum);
  }

  /** Checksums of operations without a live row. */
  get addChecksum(): number {
    return this.#addChecksum;
  }

  /** Checksums of the live PUTs. */
  get opChecksum(): number {
    return this.#opChecksum;
  }

  /** The last operation applied; 0n before the first. */
  get lastOpId(): OpId {
    return this.#lastOpId;
  }

  /** The live PUTs, one per (type, id, subkey). */
  puts(): readonly PutOp[] {
    return [...this.#puts.values()];
  }

  /** The rows an app sees: the newest PUT of each (type, id), whatever its subkey. */
  rows(): readonly PutOp[] {
    const newest = new Map<string, PutOp>();
    for (const put of this.#puts.values()) {
      const key = JSON.stringify([put.objectType, put.objectId]);
      const other = newest.get(key);
      if (other === undefined || other.opId < put.opId) newest.set(key, put);
    }
    return [...newest.values()];
  }

  /** An independent copy. */
  clone(): BucketReplica {
    const copy = new BucketReplica();
    for (const [key, put] of this.#puts) copy.#puts.set(key, put);
    copy.#addChecksum = this.#addChecksum;
    copy.#opChecksum = this.#opChecksum;
    copy.#lastOpId = this.#lastOpId;
    return copy;
  }

  #applyOne(op: Op): void {
    switch (op.kind) {
      case 'PUT':
        this.#release(op);
        this.#puts.set(identity(op), op);
        this.#opChecksum = addChecksums(this.#opChecksum, op.checksum);
        return;
      case 'REMOVE':
        this.#release(op);
        this.#add(op.checksum);
        return;
      case 'MOVE':
        this.#add(op.checksum);
        return;
      case 'CLEAR':
        this.#puts.clear();
        this.#opChecksum = 0;
        this.#addChecksum = op.checksum;
    }
  }

  /** The row's former PUT is void; its checksum stays in the sum. */
  #release(op: Identified): void {
    const key = identity(op);
    const former = this.#puts.get(key);
    if (former === undefined) return;
    this.#puts.delete(key);
    this.#opChecksum = (this.#opChecksum - former.checksum) >>> 0;
    this.#add(former.checksum);
  }

  #add(checksum: number): void {
    this.#addChecksum = addChecksums(this.#addChecksum, checksum);
  }
}

interface Identified {
  readonly objectType: string;
  readonly objectId: string;
  readonly subkey: string;
}

function identity({ objectType, objectId, subkey }: Identified): string {
  return JSON.stringify([objectType, objectId, subkey]);
}
