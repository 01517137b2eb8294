import type { RowValues } from '../pipeline/row-write.ts';
import type { Rule } from './rule.ts';
import type { RuleWorld } from './rule-values.ts';

/**
 * Which updates are allowed, as with PostgreSQL's USING and WITH CHECK.
 *
 * A rule that speaks of one row (`owner_id`, `old.owner_id`, `new.owner_id`) must hold for the row
 * before the update and for that after it: nobody gives away, or takes, what is not theirs. A rule
 * that names both `old` and `new` is about the change, so each means itself; a bare column in it is
 * again of both. With a `check` of its own, `using` is for the row before and `check` for that after.
 */
export class UpdateRule {
  readonly #using: Rule;
  readonly #check: Rule | undefined;
  /** Names both rows, so that neither can stand for the other. */
  readonly #isOfChange: boolean;

  constructor(using: Rule, check: Rule | undefined) {
    this.#using = using;
    this.#check = check;
    this.#isOfChange = using.names('old') && using.names('new');
  }

  get isAlwaysTrue(): boolean {
    return this.#using.isAlwaysTrue && (this.#check === undefined || this.#check.isAlwaysTrue);
  }

  /** Whether one must know the stored row to answer. */
  get readsRows(): boolean {
    return this.#using.readsRows || this.#check?.readsRows === true;
  }

  /** Whether `mayTouch` can be answered without any row. */
  get isAboutCallerOnly(): boolean {
    return !this.#using.readsRows;
  }

  get rules(): readonly Rule[] {
    return this.#check === undefined ? [this.#using] : [this.#using, this.#check];
  }

  /** Whether the caller may update the row as it is, to become `after`. */
  mayTouch(stored: RowValues | undefined, after: RowValues | undefined, world: RuleWorld) {
    const isPair = this.#isOfChange || this.#check !== undefined;
    return this.#using.isTrue({ old: stored, row: stored, new: isPair ? after : stored }, world);
  }

  /** Whether the row may become `after`; asked once `mayTouch` is true. */
  mayBecome(stored: RowValues | undefined, after: RowValues, world: RuleWorld) {
    const rule = this.#check ?? this.#using;
    const isPair = this.#isOfChange || this.#check !== undefined;
    return rule.isTrue({ old: isPair ? stored : after, row: after, new: after }, world);
  }
}
