import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import { MAX_OP, type WriteGate } from '../crud/write-gate.ts';
import { StreamFailure } from '../sync/transport/transport.ts';
import { idOf, type ServiceCalls, type WriteCheckpoints } from './write-checkpoints.ts';

/** Remembers the last number that was given out. */
interface RequestIds {
  last(): bigint;
  set(id: bigint): void;
}

/** In `sluice_kv`. */
export class StoredRequestIds implements RequestIds {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  last(): bigint {
    const sql = `SELECT value FROM sluice_kv WHERE key = 'requested'`;
    const value = this.#connection.prepare(sql).get()?.[0];
    return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : 0n;
  }

  set(id: bigint): void {
    inWriteTransaction(this.#connection, () =>
      this.#connection
        .prepare(
          `INSERT INTO sluice_kv (key, value) VALUES ('requested', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        )
        .run([id]),
    );
  }
}

export interface RequestedCheckpointsOptions {
  readonly calls: ServiceCalls;
  readonly ids: RequestIds;
  readonly gate: Pick<WriteGate, 'state'>;
  /** For a service that has no such route. */
  readonly fallback: WriteCheckpoints;
  /** The app's way of delivering requests, instead of the service's route; gives the accepted id. */
  readonly post?: ((clientId: string, requestId: string) => Promise<string>) | undefined;
  /** At least 10 s. */
  readonly repeatAfterMs?: number | undefined;
}

const LEAST_REPEAT_MS = 10_000;
const ATTEMPTS = 3;

/**
 * Numbers that the client counts (spec/client.md 3.4): after each connect the count begins from what the service knows. A service
 * without the route is asked in the older way until the next connect.
 */
export class RequestedCheckpoints implements WriteCheckpoints {
  readonly #options: RequestedCheckpointsOptions;
  #isSeeded = false;
  #isUnsupported = false;

  constructor(options: RequestedCheckpointsOptions) {
    this.#options = options;
  }

  get repeatAfterMs(): number | undefined {
    if (this.#isUnsupported) return undefined;
    return Math.max(LEAST_REPEAT_MS, this.#options.repeatAfterMs ?? 0);
  }

  connected(): void {
    this.#isSeeded = false;
    this.#isUnsupported = false;
  }

  async request(signal: AbortSignal): Promise<bigint> {
    const { ids, fallback } = this.#options;
    if (!this.#isSeeded && !this.#isUnsupported) await this.#seed(signal);
    if (this.#isUnsupported) return fallback.request(signal);
    // A number that was known already may stand for an older state than this one.
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const id = ids.last() + 1n;
      ids.set(id);
      const accepted = await this.#post(id, signal);
      if (accepted === id) return id;
      if (accepted === undefined) break;
      ids.set(accepted > id ? accepted : id);
    }
    throw new StreamFailure('PROTOCOL', 'The service does not accept requests for checkpoints');
  }

  async repeat(checkpoint: bigint, signal: AbortSignal): Promise<void> {
    await this.#post(checkpoint, signal);
  }

  async #seed(signal: AbortSignal): Promise<void> {
    const { ids, gate } = this.#options;
    const { target } = gate.state();
    const concrete = target === undefined || target === MAX_OP ? 0n : target;
    const first = [ids.last(), concrete, 1n].reduce((a, b) => (a > b ? a : b));
    const stored = await this.#post(first, signal);
    this.#isUnsupported = stored === undefined;
    this.#isSeeded = stored !== undefined;
    if (stored !== undefined) ids.set(stored);
  }

  /** The id that the other side has now; undefined if there is no such route. */
  async #post(id: bigint, signal: AbortSignal): Promise<bigint | undefined> {
    const { calls, post } = this.#options;
    if (post !== undefined) return idOf(await post(calls.clientId, String(id)));
    const body = { client_id: calls.clientId, checkpoint_request_id: String(id) };
    const answer = await calls.call('/sync/checkpoint-request', body, signal);
    return answer === undefined ? undefined : idOf(answer['checkpoint_request_id']);
  }
}
