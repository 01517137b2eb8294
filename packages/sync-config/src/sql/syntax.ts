import type { SqliteValue } from '@sluice/model';
import type { Span } from '../diagnostics.ts';
import type { Token } from './token.ts';

/** A name as written. `name` is folded to lower case unless quoted. */
export interface Identifier extends Span {
  readonly name: string;
  readonly raw: string;
  readonly quoted: boolean;
}

export type ExprSyntax = Span &
  (
    | {
        readonly kind: 'literal';
        readonly value: SqliteValue;
        /** The word TRUE or FALSE, which means more than 1 and 0 after IS. */
        readonly isTruthWord?: boolean;
        /** A number without its sign: SQLite joins a sign in front, however far away it stands. */
        readonly token?: Token;
      }
    /** `column`, `table.column` or `schema.table.column`. */
    | { readonly kind: 'name'; readonly parts: readonly Identifier[] }
    | CallSyntax
    | { readonly kind: 'unary'; readonly operator: string; readonly operand: ExprSyntax }
    | BinarySyntax
    | {
        readonly kind: 'is';
        readonly operand: ExprSyntax;
        readonly negated: boolean;
        readonly what: 'null' | 'true' | 'false';
      }
    | {
        readonly kind: 'between';
        readonly operand: ExprSyntax;
        readonly negated: boolean;
        readonly low: ExprSyntax;
        readonly high: ExprSyntax;
      }
    | InSyntax
    | LikeSyntax
    | {
        readonly kind: 'collate';
        readonly operand: ExprSyntax;
        readonly collation: Identifier;
      }
    | CaseSyntax
    | { readonly kind: 'cast'; readonly operand: ExprSyntax; readonly type: Identifier }
    | { readonly kind: 'array'; readonly items: readonly ExprSyntax[] }
    | { readonly kind: 'select'; readonly select: SelectSyntax }
    /** Parsed so that it can be refused by name, e.g. `EXISTS (...)`. */
    | { readonly kind: 'unsupported'; readonly what: string }
  );

export interface CallSyntax extends Span {
  readonly kind: 'call';
  /** `upper`, or `auth.user_id`. */
  readonly name: readonly Identifier[];
  readonly args: readonly ExprSyntax[];
  /** DISTINCT, ORDER BY, FILTER or OVER, which no function takes. */
  readonly decoration: Span | undefined;
}

export interface BinarySyntax extends Span {
  readonly kind: 'binary';
  readonly operator: string;
  readonly operatorSpan: Span;
  readonly left: ExprSyntax;
  readonly right: ExprSyntax;
}

export interface InSyntax extends Span {
  readonly kind: 'in';
  readonly operand: ExprSyntax;
  readonly negated: boolean;
  readonly right: ExprSyntax;
}

export interface LikeSyntax extends Span {
  readonly kind: 'like';
  readonly operator: 'like' | 'glob';
  readonly operand: ExprSyntax;
  readonly negated: boolean;
  readonly pattern: ExprSyntax;
  readonly escape: ExprSyntax | undefined;
}

interface CaseSyntax extends Span {
  readonly kind: 'case';
  readonly operand: ExprSyntax | undefined;
  readonly whens: readonly { readonly when: ExprSyntax; readonly result: ExprSyntax }[];
  readonly otherwise: ExprSyntax | undefined;
}

export interface SelectSyntax extends Span {
  readonly distinct: Span | undefined;
  readonly columns: readonly ColumnSyntax[];
  readonly from: readonly SourceSyntax[];
  /** WHERE and all ON conditions; only inner joins exist, so their place does not matter. */
  readonly conditions: readonly ExprSyntax[];
}

export type ColumnSyntax = Span &
  (
    | { readonly kind: 'star'; readonly table: Identifier | undefined }
    | { readonly kind: 'expr'; readonly expr: ExprSyntax; readonly alias: Identifier | undefined }
  );

export type SourceSyntax = Span &
  (
    | {
        readonly kind: 'table';
        readonly schema: Identifier | undefined;
        readonly table: Identifier;
        readonly alias: Identifier | undefined;
      }
    | {
        readonly kind: 'function';
        readonly call: CallSyntax;
        readonly alias: Identifier | undefined;
      }
    | {
        readonly kind: 'select';
        readonly select: SelectSyntax;
        readonly alias: Identifier;
        readonly columnNames: readonly Identifier[] | undefined;
      }
  );
