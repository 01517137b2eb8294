import type { AppError } from '@sluice/base';
import type { EvaluatedRow, SourcePosition, SqliteRow, SqliteValue } from '@sluice/model';
import { rowKey, wholeRowKey, type SourceTable, type TableSnapshot } from '@sluice/source';
import type { RaiseNumber, StoredTable } from '@sluice/storage';
import type { EvaluationError, RowEvaluator } from '@sluice/sync-config';
import type { ConfigRole, EvaluatedNumbers, Fill } from './fills.ts';
import { NOT_STARTED, storedTable, type SnapshotState, type TableState } from './table-state.ts';

/** One table of a fill while it runs: its stored state and how its rows are evaluated. */
export class ReplicatedTable {
  readonly id: number;
  source: SourceTable;
  state: TableState;
  /** Rises when the snapshot starts over, so that rows read before are recognised as stale. */
  attempt = 0;
  /** Whether it is replicated no more. */
  isRemoved = false;
  /** What reading its snapshot failed with last; it is tried again. */
  problem: AppError | undefined;
  #roles: ReadonlySet<ConfigRole>;
  #fill: Fill;
  #evaluate: (row: SqliteRow) => EvaluatedRow;
  #numbers: ((row: SqliteRow) => EvaluatedNumbers) | undefined;
  readonly #onError: (error: EvaluationError) => void;

  constructor(options: {
    readonly id: number;
    readonly source: SourceTable;
    readonly state: TableState;
    readonly fill: Fill;
    readonly onError: (error: EvaluationError) => void;
  }) {
    this.id = options.id;
    this.source = options.source;
    this.state = options.state;
    this.#onError = options.onError;
    this.#fill = options.fill;
    this.#roles = this.#fill.rolesOf(this.state);
    this.#evaluate = this.#evaluation(this.#fill.evaluator(this.source));
    this.#numbers = this.#fill.numbersOf(this.source);
  }

  /** The configs that need it. */
  get roles(): ReadonlySet<ConfigRole> {
    return this.#roles;
  }

  /** While the snapshot is being opened, so that a change of a table without a key can wait. */
  #opening: Promise<unknown> | undefined;

  get isKeyless(): boolean {
    return this.source.keyColumns.length === 0;
  }

  get snapshotDone(): boolean {
    return this.state.snapshot.kind === 'done';
  }

  /** Takes over a new definition of the same table: columns came, went or changed type. */
  redefine(source: SourceTable): void {
    this.source = source;
    this.#evaluate = this.#evaluation(this.#fill.evaluator(source));
    this.#numbers = this.#fill.numbersOf(source);
  }

  /** Other definitions of its fill are there than before, or other configs need them. */
  reassign(fill: Fill): void {
    this.#fill = fill;
    this.#roles = fill.rolesOf(this.state);
    this.#evaluate = this.#evaluation(fill.evaluator(this.source));
    this.#numbers = fill.numbersOf(this.source);
  }

  /** No checkpoint may show the table before the stream has passed `position`. */
  waitFor(position: SourcePosition): void {
    if (position > this.state.waitFor) this.state = { ...this.state, waitFor: position };
  }

  setSnapshot(snapshot: SnapshotState): void {
    this.problem = undefined;
    this.state = { ...this.state, snapshot };
  }

  /** The snapshot must be read from its beginning; rows still under way from before are stale. */
  restartSnapshot(): void {
    this.attempt += 1;
    this.state = { ...this.state, snapshot: NOT_STARTED, exactAt: undefined };
  }

  /** Notes from which position the content is exact once the snapshot is open. */
  async open(opening: Promise<TableSnapshot>): Promise<TableSnapshot> {
    const { attempt } = this;
    this.#opening = opening.catch(() => undefined); // the feed itself reports the failure
    try {
      const snapshot = await opening;
      if (this.attempt === attempt) this.state = { ...this.state, exactAt: snapshot.exactAt };
      return snapshot;
    } finally {
      this.#opening = undefined;
    }
  }

  /**
   * Whether a change is already part of the table's snapshot, or will be: only for tables without a
   * key, whose rows are counted. What is streamed before the snapshot is opened lies before it.
   */
  isInSnapshot(commitPosition: SourcePosition): boolean {
    if (!this.isKeyless) return false;
    const { exactAt } = this.state;
    return exactAt === undefined || commitPosition < exactAt;
  }

  /** To be awaited before `isInSnapshot` is asked; undefined when there is nothing to wait for. */
  get opening(): Promise<unknown> | undefined {
    return this.isKeyless ? this.#opening : undefined;
  }

  stored(): StoredTable {
    return storedTable(this.id, this.state);
  }

  /** What the sync config makes of a row of the present definition; stays so for who has taken it. */
  get evaluate(): (row: SqliteRow) => EvaluatedRow {
    return this.#evaluate;
  }

  /** The numbers that a row of the present definition raises. */
  numbersOf(row: SqliteRow): readonly RaiseNumber[] {
    if (this.#numbers === undefined) return NO_NUMBERS;
    const { numbers, errors } = this.#numbers(row);
    for (const error of errors) this.#onError(error);
    return numbers.map((number) => ({ kind: 'raise', ...number }));
  }

  #evaluation(evaluator: RowEvaluator | undefined): (row: SqliteRow) => EvaluatedRow {
    if (evaluator === undefined) return () => NOTHING;
    return (row) => {
      const evaluated = evaluator.evaluate(row);
      for (const error of evaluated.errors) this.#onError(error);
      return evaluated;
    };
  }

  keyOf(row: readonly unknown[]): string {
    return this.isKeyless
      ? wholeRowKey(row as readonly SqliteValue[])
      : rowKey(row, this.source.keyColumns);
  }
}

const NOTHING: EvaluatedRow = { outputs: [], lookups: [] };
const NO_NUMBERS: readonly RaiseNumber[] = [];
