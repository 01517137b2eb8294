import { SyncError } from '@sluice/base';

/** Counts the results of one `resolve` call against the limit (spec/sync-config.md 12). */
export class ResultBudget {
  readonly #max: number;
  readonly #byDefinition = new Map<string, number>();
  readonly #answered = new Set<string>();
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws SyncError `SYNC_TOO_MANY_PARAMETER_RESULTS` */
  spend(definition: string, count: number): void {
    this.#used += count;
    this.#byDefinition.set(definition, (this.#byDefinition.get(definition) ?? 0) + count);
    if (this.#used > this.#max) throw this.#exceeded();
  }

  /** As `spend`, but a key that several queries look up counts once. */
  spendLookup(definition: string, key: string, count: number): void {
    if (this.#answered.has(key)) return;
    this.#answered.add(key);
    this.spend(definition, count);
  }

  #exceeded(): SyncError {
    const largest = [...this.#byDefinition]
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, 10)
      .map(([definition, count]) => `${definition}: ${count}`);
    const message =
      `The parameter queries of the client have more than ${this.#max} results ` +
      `(${largest.join(', ')})`;
    return new SyncError('SYNC_TOO_MANY_PARAMETER_RESULTS', message, {
      details: { maxResults: this.#max, byDefinition: Object.fromEntries(this.#byDefinition) },
    });
  }
}
