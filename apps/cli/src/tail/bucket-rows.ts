import { addChecksums, type Op } from '@sluice/protocol';

/** One row as one bucket holds it. */
export interface HeldRow {
  readonly table: string;
  readonly id: string;
  readonly opId: bigint;
  readonly checksum: number;
  /** JSON text. */
  readonly data: string;
}

export interface RowName {
  readonly table: string;
  readonly id: string;
}

/**
 * What a client keeps of one bucket (spec/protocol.md 8.4): the rows by identity, and one sum for
 * everything that no longer is a row. Both together must equal the checksum that the service names.
 */
export class BucketRows {
  readonly rows = new Map<string, HeldRow>();
  #gone = 0;
  #held = 0;
  #lastOpId = 0n;

  /** The client's position; 0n before the first operation. */
  get lastOpId(): bigint {
    return this.#lastOpId;
  }

  get checksum(): number {
    return addChecksums(this.#gone, this.#held);
  }

  /** Applies operations in order, and reports every row that they may have changed. */
  apply(ops: readonly Op[], touched: (row: RowName) => void): void {
    for (const op of ops) {
      this.#applyOne(op, touched);
      this.#lastOpId = op.opId;
    }
  }

  #applyOne(op: Op, touched: (row: RowName) => void): void {
    switch (op.kind) {
      case 'MOVE':
        this.#gone = addChecksums(this.#gone, op.checksum);
        return;
      case 'CLEAR':
        for (const row of this.rows.values()) touched(row);
        this.rows.clear();
        this.#gone = op.checksum;
        this.#held = 0;
        return;
      case 'PUT':
      case 'REMOVE': {
        const row = { table: op.objectType, id: op.objectId };
        const key = JSON.stringify([row.table, row.id, op.subkey]);
        this.#drop(key);
        touched(row);
        if (op.kind === 'REMOVE') {
          this.#gone = addChecksums(this.#gone, op.checksum);
          return;
        }
        const { opId, checksum, data } = op;
        this.rows.set(key, { ...row, opId, checksum, data });
        this.#held = addChecksums(this.#held, checksum);
      }
    }
  }

  #drop(key: string): void {
    const old = this.rows.get(key);
    if (old === undefined) return;
    this.rows.delete(key);
    this.#gone = addChecksums(this.#gone, old.checksum);
    this.#held = (this.#held - old.checksum) >>> 0;
  }
}
