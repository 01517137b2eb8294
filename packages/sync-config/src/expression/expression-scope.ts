import type { JsonObject } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { ScalarPlace } from '../yaml/sql-text.ts';

/** Where the text of an expression stands; without a place, problems are about the text itself. */
export interface ExpressionSource {
  readonly text: string;
  readonly place?: ScalarPlace | undefined;
}

/** What an expression outside a sync config may name, such as a rule of the write API. */
export interface ExpressionScope {
  /** Words that may stand before the dot, e.g. `old` and `new`, and the row that each means. */
  readonly qualifiers: ReadonlyMap<string, string>;
  /** The row that a column without a word in front belongs to; undefined: there is none. */
  readonly bareRow: string | undefined;
  /** Columns of all these rows; undefined where nobody knows them. */
  readonly columns: ReadonlySet<string> | undefined;
  /** Name of the table, for messages; its name before the dot means `bareRow`. */
  readonly table: string;
  /** Why there is no `old`, `new` ...: the fix offered for such a word. */
  readonly missing?: ReadonlyMap<string, string>;
}

/** A column that an expression reads. */
export interface ColumnRead {
  readonly row: string;
  readonly column: string;
}

/** The values that an evaluation may look at. */
export interface ExpressionValues {
  /** By the row's name; a row that is missing has NULL in all columns. */
  row(name: string): ReadonlyMap<string, SqliteValue> | undefined;
  /** Verified claims of the token. */
  readonly claims: JsonObject;
  /** `request.metadata()` and `request.client_id()`. */
  readonly metadata: string | null;
  readonly clientId: string | null;
  /** What `now()` and `datetime('now')` mean. */
  readonly now: Date;
  /** Called once for each `uuid()` of the text. */
  readonly uuid: () => string;
}

/** A value of the request in an expression that a database evaluates. */
export type RequestValue =
  | { readonly kind: 'user_id' | 'claims' | 'metadata' | 'client_id' }
  /** `key` as after `->>`. */
  | { readonly kind: 'claim'; readonly key: string };
