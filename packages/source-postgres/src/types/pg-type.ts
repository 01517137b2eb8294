/** How the text form of a base type is understood; everything unknown is `text`. */
export type ScalarKind =
  | 'bool'
  | 'integer'
  | 'float'
  | 'text'
  | 'bytea'
  | 'json'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'lsn';

/** A type of PostgreSQL with all inner types resolved. */
export type PgType =
  | {
      readonly kind: 'scalar';
      readonly oid: number;
      readonly name: string;
      readonly scalar: ScalarKind;
    }
  | { readonly kind: 'enum'; readonly oid: number; readonly name: string }
  | {
      readonly kind: 'domain';
      readonly oid: number;
      readonly name: string;
      readonly base: PgType;
    }
  | {
      readonly kind: 'array';
      readonly oid: number;
      readonly name: string;
      readonly element: PgType;
      /** Between elements: `,` for all built-in types but `box`, which has `;`. */
      readonly delimiter: string;
    }
  | {
      readonly kind: 'composite';
      readonly oid: number;
      readonly name: string;
      readonly members: readonly CompositeMember[];
    }
  | {
      readonly kind: 'range' | 'multirange';
      readonly oid: number;
      readonly name: string;
      /** The type of the bounds. */
      readonly bound: PgType;
    };

export interface CompositeMember {
  readonly name: string;
  readonly type: PgType;
}
