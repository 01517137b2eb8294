import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import { MAX_OP, type WriteGate, type WriteGateState } from './write-gate.ts';

const STATE = `SELECT
  (SELECT value FROM sluice_kv WHERE key = 'target'),
  (SELECT value FROM sluice_kv WHERE key = 'seen'),
  (SELECT count(*) FROM sluice_crud),
  (SELECT seq FROM sqlite_sequence WHERE name = 'sluice_crud')`;

/** The gate as the local database keeps it: local writes arm it by their triggers, the queue by what is completed. */
export class LocalWriteGate implements WriteGate {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  state(): WriteGateState {
    const [target, seen, pending, sequence] = this.#connection.prepare(STATE).get() ?? [];
    return {
      target: bigintOf(target),
      seen: bigintOf(seen),
      pending: Number(pending),
      sequence: Number(sequence ?? 0),
    };
  }

  settle(sequence: number, writeCheckpoint: bigint): boolean {
    return inWriteTransaction(this.#connection, () => {
      const state = this.state();
      const unchanged = state.pending === 0 && state.sequence === sequence;
      // A target that is a number came with the last `complete`, and is not replaced.
      if (!unchanged || state.target !== MAX_OP) return false;
      this.#connection
        .prepare(`UPDATE sluice_kv SET value = ? WHERE key = 'target'`)
        .run([writeCheckpoint]);
      return true;
    });
  }
}

function bigintOf(value: SqlValue | undefined): bigint | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : undefined;
}
