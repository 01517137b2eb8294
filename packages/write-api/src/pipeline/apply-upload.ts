import { AppError, Backoff, type Clock } from '@sluice/base';
import { applyTransaction, type TransactionContext } from './apply-transaction.ts';
import type { Caller } from './row-write.ts';
import type { TableSteps } from './table-steps.ts';
import type { UploadEntry } from './upload-entry.ts';
import type { WriteKey, WriteOutcome, WriteStore } from './write-store.ts';

export interface ApplyOptions {
  readonly store: WriteStore;
  /** What writes of a table go through; undefined: nothing. */
  readonly stepsOf: (table: string) => TableSteps | undefined;
  /** Whether uploads may write a table at all. */
  readonly isWritable: (table: string) => boolean;
  /** Whether one refused entry refuses its client transaction. */
  readonly isAtomic: boolean;
  readonly clock: Clock;
  /** A value in [0, 1). */
  readonly random: () => number;
}

/** With the waits between them about two seconds; then the client waits, and sends it again. */
const MAX_ATTEMPTS = 8;

/**
 * Applies client transactions in order, each in one database transaction, and resolves after the last
 * has committed: an outcome for each entry, in order. An entry that can never succeed is reported and
 * recorded, and holds up no other.
 *
 * Those that go through no steps are tried together as one database transaction, which is the same to
 * everybody and much faster. If that fails, halves are tried, so that one bad entry does not make all
 * the others slow.
 *
 * @throws AppError `UPLOAD_UNAVAILABLE` on a temporary fault. What was applied before it is remembered
 * with its key; what has none is of a kind that may be repeated.
 */
export async function applyUpload(
  transactions: readonly (readonly UploadEntry[])[],
  caller: Caller,
  options: ApplyOptions,
): Promise<readonly WriteOutcome[]> {
  const upload = new UploadRun(caller, options);
  for (const unit of units(transactions, options)) await upload.apply(unit);
  return transactions.flat().map((entry) => upload.outcomeOf(entry));
}

type Unit = readonly (readonly UploadEntry[])[];

/** Client transactions that go through no steps are together, others alone. */
function units(transactions: Unit, options: ApplyOptions): readonly Unit[] {
  const found: (readonly UploadEntry[])[][] = [];
  let last: (readonly UploadEntry[])[] | undefined;
  for (const transaction of transactions) {
    const isPlain = transaction.every((entry) => isPlainEntry(entry, options));
    if (isPlain && last) {
      last.push(transaction);
    } else {
      const unit = [transaction];
      found.push(unit);
      last = isPlain ? unit : undefined;
    }
  }
  return found;
}

function isPlainEntry({ write }: UploadEntry, { stepsOf, isWritable }: ApplyOptions): boolean {
  return write !== undefined && isWritable(write.table) && stepsOf(write.table) === undefined;
}

class UploadRun {
  readonly #caller: Caller;
  readonly #options: ApplyOptions;
  readonly #outcomes = new Map<UploadEntry, WriteOutcome>();
  /** Entries by key: the same one twice in an upload is one. */
  readonly #firstByKey = new Map<string, UploadEntry>();

  constructor(caller: Caller, options: ApplyOptions) {
    this.#caller = caller;
    this.#options = options;
  }

  outcomeOf(entry: UploadEntry): WriteOutcome {
    const outcome = this.#outcomes.get(entry);
    if (outcome !== undefined) return outcome;
    const first = entry.key && this.#firstByKey.get(nameOf(entry.key));
    const its = first && this.#outcomes.get(first);
    if (its === undefined) throw new AppError('INTERNAL_BUG', 'An entry was left out');
    return { ...its, isRepeated: true };
  }

  async apply(unit: Unit): Promise<void> {
    const fresh = unit
      .map((transaction) => transaction.filter((entry) => this.#isFirst(entry)))
      .filter((transaction) => transaction.length > 0);
    const [first] = fresh;
    if (first === undefined) return;
    const isPlain = fresh.flat().every((entry) => isPlainEntry(entry, this.#options));
    if (isPlain) await this.#applyTogether(fresh);
    else await this.#applyAlone(first);
  }

  async #applyTogether(unit: Unit): Promise<void> {
    const [first] = unit;
    if (first === undefined) return;
    const entries = unit.flat();
    const writes = entries.flatMap(({ write, key }) => (write ? [{ write, key }] : []));
    const result = await this.#retrying(() => this.#options.store.applyWhole(writes, this.#caller));
    if (result.kind === 'applied') {
      for (const entry of entries) this.#outcomes.set(entry, { status: 'ok' });
    } else if (result.kind === 'seen' && result.outcomes.size > 0) {
      await this.#applyTogether(this.#withoutSeen(unit, result.outcomes));
    } else if (unit.length === 1) {
      await this.#applyAlone(first);
    } else {
      const half = Math.ceil(unit.length / 2);
      await this.#applyTogether(unit.slice(0, half));
      await this.#applyTogether(unit.slice(half));
    }
  }

  #withoutSeen(unit: Unit, seen: ReadonlyMap<WriteKey, WriteOutcome>): Unit {
    const left = unit.map((transaction) =>
      transaction.filter((entry) => {
        const outcome = entry.key && seen.get(entry.key);
        if (outcome !== undefined) this.#outcomes.set(entry, outcome);
        return outcome === undefined;
      }),
    );
    return left.filter((transaction) => transaction.length > 0);
  }

  async #applyAlone(transaction: readonly UploadEntry[]): Promise<void> {
    const context: TransactionContext = { ...this.#options, caller: this.#caller };
    const outcomes = await this.#retrying(() => applyTransaction(transaction, context));
    for (const [entry, outcome] of outcomes) this.#outcomes.set(entry, outcome);
  }

  #isFirst(entry: UploadEntry): boolean {
    if (entry.key === undefined) return true;
    const name = nameOf(entry.key);
    const first = this.#firstByKey.get(name) ?? entry;
    this.#firstByKey.set(name, first);
    return first === entry;
  }

  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { clock, random, store } = this.#options;
    // Uploads that met each other must not do so again, so the waits differ widely.
    const backoff = new Backoff({ firstMs: 20, maxMs: 600, jitter: 0.8, random });
    for (let count = 1; ; count += 1) {
      try {
        return await attempt();
      } catch (cause) {
        if (count < MAX_ATTEMPTS && store.isCollision(cause)) {
          await clock.sleep(backoff.nextDelayMs());
          continue;
        }
        if (cause instanceof AppError) throw cause;
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new AppError('UPLOAD_UNAVAILABLE', `The upload could not be applied: ${message}`, {
          cause,
        });
      }
    }
  }
}

function nameOf({ seq, digest }: WriteKey): string {
  return `${seq} ${digest}`;
}
