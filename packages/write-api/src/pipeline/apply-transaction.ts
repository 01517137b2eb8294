import { Rejection } from '../rejection.ts';
import { EndListeners } from './end-listeners.ts';
import type { Caller, RowWrite } from './row-write.ts';
import type { TableSteps, WriteTransaction } from './table-steps.ts';
import type { UploadEntry } from './upload-entry.ts';
import type {
  RefusedOutcome,
  StoreTransaction,
  WriteKey,
  WriteOutcome,
  WriteStore,
} from './write-store.ts';

export interface TransactionContext {
  readonly store: WriteStore;
  readonly stepsOf: (table: string) => TableSteps | undefined;
  readonly isWritable: (table: string) => boolean;
  readonly isAtomic: boolean;
  readonly caller: Caller;
}

/**
 * How careful a pass over the entries is. Nearly every transaction is fine as a whole, so the first
 * pass pays nothing for the case that it is not. Only after the database refused something each entry
 * gets a savepoint; and only when deferred constraints fail at the end, they are checked entry by entry.
 */
const PASSES = ['whole', 'each', 'each-immediate'] as const;
type Pass = (typeof PASSES)[number];

type Outcomes = ReadonlyMap<UploadEntry, WriteOutcome>;

/** A table has changed under the definition that is known; once more with the one of now. */
const MAX_STALE = 3;

/**
 * Applies one client transaction in one database transaction, entry by entry: seen before? Then its
 * steps, the write, what comes after. Resolves after the commit.
 *
 * @throws the database's error on a temporary fault; then nothing was applied, or, when the connection
 * was lost at the commit, it is not known.
 */
export async function applyTransaction(
  entries: readonly UploadEntry[],
  context: TransactionContext,
): Promise<Outcomes> {
  const keys = entries.flatMap(({ key }) => (key ? [key] : []));
  const names = new Set(
    entries.flatMap(({ write }) => (write && context.isWritable(write.table) ? [write.table] : [])),
  );
  for (let attempt = 1; ; attempt += 1) {
    await using transaction = await context.store.begin(context.caller, names);
    const seen = await transaction.claim(keys);
    const fresh = entries.filter(({ key }) => key === undefined || !seen.has(key));
    const run = new TransactionRun(transaction, fresh, context);
    const outcomes = await run.outcomes();
    const refused = [...outcomes].filter(isRefused);
    const mayBeStale = refused.some(([, outcome]) => concernsSchema(outcome));
    if (mayBeStale && attempt < MAX_STALE && (await transaction.isStale())) continue;
    await transaction.commit({
      outcomes: new Map(refused.flatMap(([{ key }, outcome]) => (key ? [[key, outcome]] : []))),
      rejected: refused.map(([entry, outcome]) => ({ ...entry.sent, outcome })),
    });
    return withSeen(outcomes, entries, seen);
  }
}

function withSeen(
  outcomes: Outcomes,
  entries: readonly UploadEntry[],
  seen: ReadonlyMap<WriteKey, WriteOutcome>,
): Outcomes {
  const all = new Map(outcomes);
  for (const entry of entries) {
    const known = entry.key && seen.get(entry.key);
    if (known) all.set(entry, known);
  }
  return all;
}

function isRefused(pair: [UploadEntry, WriteOutcome]): pair is [UploadEntry, RefusedOutcome] {
  return pair[1].status !== 'ok';
}

/** Refused by the database, or by what we know of its tables; steps and form do not depend on it. */
function concernsSchema({ code, sqlState }: RefusedOutcome): boolean {
  return (
    sqlState !== undefined ||
    ['UPLOAD_COLUMN_UNKNOWN', 'UPLOAD_TABLE_UNKNOWN', 'UPLOAD_VALUE_INVALID'].includes(code)
  );
}

/** What listens during `work` hears false at once when it fails; the transaction may go on without it. */
async function withListeners<T>(
  transaction: StoreTransaction,
  work: (seen: WriteTransaction) => Promise<T>,
): Promise<T> {
  const listeners = new EndListeners();
  let result: T;
  try {
    result = await work({
      query: (sql, parameters) => transaction.query(sql, parameters),
      onEnd: (listener) => listeners.add(listener),
    });
  } catch (error) {
    listeners.end(false);
    throw error;
  }
  transaction.onEnd((isCommitted) => listeners.end(isCommitted));
  return result;
}

/** The passes over the entries of a transaction that were not seen before. */
class TransactionRun {
  readonly #transaction: StoreTransaction;
  readonly #entries: readonly UploadEntry[];
  readonly #context: TransactionContext;

  constructor(
    transaction: StoreTransaction,
    entries: readonly UploadEntry[],
    context: TransactionContext,
  ) {
    this.#transaction = transaction;
    this.#entries = entries;
    this.#context = context;
  }

  async outcomes(): Promise<Outcomes> {
    if (this.#entries.length === 0) return new Map();
    this.#transaction.mark('start');
    let failure: unknown;
    for (const pass of PASSES) {
      try {
        return await this.#pass(pass);
      } catch (error) {
        if (this.#context.store.refusalOf(error) === undefined) throw error;
        failure = error;
        await this.#transaction.undo('start');
      }
    }
    throw failure;
  }

  async #pass(pass: Pass): Promise<Outcomes> {
    if (pass === 'each-immediate') await this.#transaction.checkAll();
    const outcomes = new Map<UploadEntry, WriteOutcome>();
    for (const entry of this.#entries) {
      const outcome = await (pass === 'whole' ? this.#whole(entry) : this.#guarded(entry));
      outcomes.set(entry, outcome);
      const isRefusal = outcome.status !== 'ok' && outcome.isApplied !== true;
      if (isRefusal && this.#context.isAtomic) return this.#allRefused(entry, outcome);
    }
    if (this.#transaction.statementCount > 0) await this.#transaction.checkAll();
    return outcomes;
  }

  /** Entries that fail before they reach the database are reported; others end the pass. */
  async #whole(entry: UploadEntry): Promise<WriteOutcome> {
    const before = this.#transaction.statementCount;
    try {
      return await this.#apply(entry);
    } catch (error) {
      const isUntouched = this.#transaction.statementCount === before;
      const outcome = isUntouched && error instanceof Rejection && this.#refusal(error);
      if (outcome) return outcome;
      throw error;
    }
  }

  async #guarded(entry: UploadEntry): Promise<WriteOutcome> {
    this.#transaction.mark('entry');
    try {
      return await this.#apply(entry);
    } catch (error) {
      const outcome = this.#refusal(error);
      if (outcome === undefined) throw error;
      await this.#transaction.undo('entry');
      return outcome;
    }
  }

  #refusal(error: unknown): RefusedOutcome | undefined {
    return this.#context.store.refusalOf(error);
  }

  /** Before hook, policy and conflict rule, the write, after hook. */
  async #apply({ write, problem }: UploadEntry): Promise<WriteOutcome> {
    if (write === undefined) throw new Rejection('UPLOAD_INVALID', problem ?? 'The entry is wrong');
    const { isWritable, stepsOf, caller } = this.#context;
    if (!isWritable(write.table)) {
      const message = `There is no table ${JSON.stringify(write.table)} that uploads may change`;
      throw new Rejection('UPLOAD_TABLE_UNKNOWN', message);
    }
    const steps = stepsOf(write.table);
    const transaction = this.#transaction;
    if (steps === undefined) {
      await transaction.write(write);
      return { status: 'ok' };
    }
    let current: RowWrite | undefined = await transaction.normalize(write);
    const needsStored = steps.bundles.some((bundle) => bundle.needsStored(write.op));
    const known = needsStored
      ? { stored: await transaction.stored(write.table, write.id) }
      : undefined;
    return withListeners(transaction, async (seen) => {
      for (const step of steps.bundles.flatMap((bundle) => bundle.steps)) {
        current = current && (await step(current, known?.stored, caller, seen));
      }
      if (current === undefined) return { status: 'ok' };
      await transaction.write(current, known);
      await steps.afterWrite?.({ write: current, stored: known?.stored }, caller, seen);
      return this.#conflict(current);
    });
  }

  /** A write that was applied except where a conflict rule kept what is stored. */
  async #conflict({ table, id, conflicts = [] }: RowWrite): Promise<WriteOutcome> {
    if (conflicts.length === 0) return { status: 'ok' };
    return {
      status: 'conflict',
      code: 'UPLOAD_CONFLICT',
      message: `${conflicts.join(', ')} of ${table} was changed meanwhile and stays as it is`,
      row: await this.#transaction.stored(table, id),
      isApplied: true,
    };
  }

  async #allRefused(culprit: UploadEntry, outcome: WriteOutcome): Promise<Outcomes> {
    await this.#transaction.undo('start');
    const others: WriteOutcome = {
      status: 'rejected',
      code: 'UPLOAD_TRANSACTION_REFUSED',
      message: `Another write of the same transaction was refused: ${culprit.sent.op} of ${culprit.sent.table} ${culprit.sent.id}`,
    };
    return new Map(
      this.#entries.map((entry) => [entry, entry === culprit ? outcome : others] as const),
    );
  }
}
