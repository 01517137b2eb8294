/** The rules of one table in the text of the config (docs/backend.md, "Rules"). */
export interface PolicyRules {
  /** SQL; `true` and `false` are that, too. */
  readonly insert: string;
  /** `updateCheck` undefined: of the row before and of that after. */
  readonly update: string;
  readonly updateCheck?: string | undefined;
  readonly delete: string;
  /** Undefined: the data API reads nothing of the table. */
  readonly read?: string | undefined;
  /** Columns that clients may write; undefined: all. */
  readonly insertColumns: readonly string[] | undefined;
  readonly updateColumns: readonly string[] | undefined;
  readonly required: readonly string[];
  readonly immutable: readonly string[];
  /** SQL by column, those of `set.always` included. */
  readonly setOnInsert: ReadonlyMap<string, string>;
  readonly setOnUpdate: ReadonlyMap<string, string>;
  readonly validate: readonly ValidationRule[];
}

export interface ValidationRule {
  readonly check: string;
  readonly message: string;
  /** The app's own word for it, answered as `code`. */
  readonly code?: string | undefined;
}
