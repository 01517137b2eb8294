import type { AppError } from '@sluice/base';
import type { OpId, SourcePosition } from '@sluice/model';
import type { EvaluationProblem } from './evaluation-errors.ts';
import type { ConfigRole, PlannedConfig } from './fills.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import type { OpenSnapshot, Snapshots } from './snapshots.ts';
import type { TableRegistry } from './table-registry.ts';
import { matchesPattern, type TablePattern } from '@sluice/model';

/** What the replication of one generation is doing; reported whenever it changes notably. */
export interface ReplicationStatus {
  readonly generationId: number;
  /** Of what serves, or is to serve first. */
  readonly phase: 'connecting' | 'snapshot' | 'streaming';
  /** What is being read of the tables that the serving config needs. */
  readonly snapshot: SnapshotStatus | undefined;
  /** Everything up to here has been taken from the source. */
  readonly position: SourcePosition;
  /** The newest published checkpoint (0n for a source without rows); undefined before the first. */
  readonly checkpointOpId: OpId | undefined;
  /** Row changes and snapshot rows taken since the start. */
  readonly rowsTotal: number;
  /** Age of the last source commit when it was published; undefined before the first. */
  readonly commitLagMs: number | undefined;
  /** The sync configs of the generation, the serving one first. */
  readonly configs: readonly ConfigStatus[];
}

/** How far a sync config is. */
export interface ConfigStatus {
  readonly role: ConfigRole;
  /** `SyncPlan.hash` */
  readonly hash: string;
  /** Whether all its tables have been read. */
  readonly isFilled: boolean;
  readonly tablesDone: number;
  readonly tablesTotal: number;
  /** What is being read for it now. */
  readonly snapshot: SnapshotStatus | undefined;
  /** Tables that it names and that are not there, or not published; what reads them stays empty. */
  readonly missingTables: readonly string[];
  /** Tables that could not be read; that is tried again. */
  readonly failures: readonly TableFailure[];
  /** Rows that its definitions could not evaluate. */
  readonly evaluationProblems: readonly EvaluationProblem[];
}

export interface TableFailure {
  readonly table: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface SnapshotStatus {
  readonly table: string;
  readonly tablesDone: number;
  readonly tablesTotal: number;
  readonly rowsDone: number;
  readonly estimatedRows: number | undefined;
}

/** Gives the status of configs, looking at all tables only when one of them has changed. */
export class ConfigStatuses {
  readonly #registry: TableRegistry;
  readonly #snapshots: Snapshots;
  #statuses: readonly ConfigStatus[] = [];
  #madeOf: unknown[] = [];

  constructor(registry: TableRegistry, snapshots: Snapshots) {
    this.#registry = registry;
    this.#snapshots = snapshots;
  }

  of(configs: readonly PlannedConfig[]): readonly ConfigStatus[] {
    const { version, evaluationErrors } = this.#registry;
    const madeOf = [configs, version, this.#snapshots.steps, evaluationErrors.total];
    if (madeOf.every((part, i) => part === this.#madeOf[i])) return this.#statuses;
    this.#madeOf = madeOf;
    const all = this.#registry.all();
    const open = [this.#snapshots.openIn('serving'), this.#snapshots.openIn('background')];
    this.#statuses = configs.map((config) => this.#statusOf(config, all, open));
    return this.#statuses;
  }

  #statusOf(
    { role, stored, plan }: PlannedConfig,
    all: readonly ReplicatedTable[],
    open: readonly (OpenSnapshot | undefined)[],
  ): ConfigStatus {
    const tables = all.filter((table) => table.roles.has(role));
    const names = new Set(plan.parts.map(({ name }) => name));
    const tablesDone = tables.filter((table) => table.snapshotDone).length;
    const counts = { tablesDone, tablesTotal: tables.length };
    const reading = open.find((one) => one?.table.roles.has(role) === true);
    return {
      role,
      hash: stored.hash,
      isFilled: tablesDone === tables.length,
      ...counts,
      snapshot: reading && { ...snapshotStatus(reading), ...counts },
      missingTables: plan.tables.filter((pattern) => isMissing(pattern, tables)).map(patternName),
      failures: tables.flatMap((table) => failureOf(table, table.problem)),
      evaluationProblems: this.#registry.evaluationErrors
        .all()
        .filter(({ definition }) => names.has(definition)),
    };
  }
}

function snapshotStatus({ table, estimatedRows }: OpenSnapshot) {
  const { snapshot } = table.state;
  const rowsDone = snapshot.kind === 'pending' ? snapshot.rowsDone : 0;
  return { table: tableName(table), rowsDone, estimatedRows };
}

function failureOf(table: ReplicatedTable, error: AppError | undefined): TableFailure[] {
  if (error === undefined) return [];
  const { code, message, remedy } = error;
  return [{ table: tableName(table), code, message, remedy }];
}

function isMissing(pattern: TablePattern, tables: readonly ReplicatedTable[]): boolean {
  if (pattern.nameIsPrefix || pattern.schemaIsPrefix) return false;
  return !tables.some(({ state }) => matchesPattern(pattern, state));
}

function patternName({ schema, name }: TablePattern): string {
  return `${schema}.${name}`;
}

function tableName({ source }: ReplicatedTable): string {
  return `${source.schema}.${source.name}`;
}
