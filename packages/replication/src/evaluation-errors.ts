import type { Logger } from '@sluice/base';
import type { SourceTable } from '@sluice/source';
import type { EvaluationError } from '@sluice/sync-config';

/** Rows that a definition could not evaluate, so that they are missing from its buckets. */
export interface EvaluationProblem extends EvaluationError {
  readonly table: string;
  /** How often since the start. */
  readonly count: number;
}

const MAX_KINDS = 1000;

/** Counts failed evaluations, and logs some: one bad column must not flood the log. */
export class EvaluationErrors {
  readonly #logger: Logger;
  readonly #byKind = new Map<string, EvaluationProblem>();

  /** How many there were, of any kind. */
  total = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Logs the 1st, 10th, 100th ... failure of the same kind. */
  note(source: SourceTable, { definition, message }: EvaluationError): void {
    this.total += 1;
    const table = `${source.schema}.${source.name}`;
    const kind = `${table}/${definition}/${message}`;
    const count = (this.#byKind.get(kind)?.count ?? 0) + 1;
    const problem = { table, definition, message, count };
    if (this.#byKind.size < MAX_KINDS || count > 1) this.#byKind.set(kind, problem);
    if (!/^10*$/.test(String(count))) return;
    this.#logger.warn('replication_row_not_evaluated', { ...problem });
  }

  all(): readonly EvaluationProblem[] {
    return [...this.#byKind.values()];
  }
}
