import type { ResolvedBuckets, SubscriptionReason } from '../resolve/resolved-buckets.ts';

/*
 * Answers to "which buckets?" and "why not?", as plain values that JSON can hold. Expressions are SQL
 * text, values SQL literals (`'acme'`, `42`, `NULL`). They hold data of rows and requests, so they are
 * for whoever runs the service, not for its clients.
 */

/** An expression and what it gives. */
export interface NamedValue {
  readonly sql: string;
  readonly value: string;
}

/** A condition that does not hold, with the columns, claims and parameters that it reads. */
export interface FailedCondition {
  readonly sql: string;
  readonly reads: readonly NamedValue[];
}

/** What the queries that read a table make of one of its rows. */
export interface RowExplanation {
  /** In config order; a query with OR has an entry for each of its alternatives. */
  readonly placements: readonly RowPlacement[];
  readonly lookups: readonly RowLookup[];
  /** Of the events that read the table, one for each payload. */
  readonly events: readonly RowEvent[];
}

/** What a payload of `event_definitions` makes of a row. */
export interface RowEvent {
  readonly event: string;
  /** Output columns; empty where the row is left out. */
  readonly payload: readonly NamedValue[];
  readonly result:
    | { readonly kind: 'left out'; readonly whyNot: readonly RowReason[] }
    /** `user`: with `/<client id>` behind it where there is one. */
    | { readonly kind: 'write checkpoint'; readonly user: string; readonly value: string }
    | { readonly kind: 'no write checkpoint'; readonly message: string }
    /** Nothing consumes events of this name. */
    | { readonly kind: 'unused' };
}

export interface RowPlacement {
  readonly definition: string;
  /** Counts the queries of the definition, from 0. */
  readonly query: number;
  /** Client table. */
  readonly objectType: string;
  /** The client row's id; undefined where the row is left out. */
  readonly objectId: string | undefined;
  /** Which kind of the definition's buckets; `BucketResolution.family` on the request's side. */
  readonly family: string;
  readonly buckets: readonly PlacedBucket[];
  /** At least one where there is no bucket, else none. */
  readonly whyNot: readonly RowReason[];
}

export interface PlacedBucket {
  readonly name: string;
  /** The expressions over the row that the bucket is chosen by, in the order of its name. */
  readonly keys: readonly NamedValue[];
}

/** The row as something that requests look up. */
export interface RowLookup {
  readonly definition: string;
  readonly lookup: LookupDescription;
  readonly entries: readonly {
    readonly keys: readonly string[];
    readonly outputs: readonly string[];
  }[];
  /** At least one where there is no entry, else none. */
  readonly whyNot: readonly RowReason[];
}

/** Which rows a lookup finds: `SELECT outputs FROM table WHERE keys = ... AND filter`. */
export interface LookupDescription {
  readonly table: string;
  readonly keys: readonly string[];
  readonly outputs: readonly string[];
  readonly filter: string | undefined;
}

export type RowReason =
  /** `elements`: for so many elements of a JSON array, where the query takes one apart. */
  | {
      readonly kind: 'filter';
      readonly condition: FailedCondition;
      readonly elements: number | undefined;
    }
  /** A value that rows are filed under is NULL, a BLOB or not finite. */
  | { readonly kind: 'key'; readonly key: NamedValue }
  /** A JSON document without elements. */
  | { readonly kind: 'no elements'; readonly input: NamedValue }
  | { readonly kind: 'error'; readonly message: string }
  /** Another alternative of the same query fails on the row, which leaves it out of all. */
  | { readonly kind: 'failed query' };

/** What a request gets, and what it does not get and why. */
export interface RequestExplanation {
  /** Every definition, in config order. */
  readonly definitions: readonly DefinitionExplanation[];
  /** What the service answers; undefined where it refuses the request. */
  readonly resolved: ResolvedBuckets | undefined;
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
}

export interface DefinitionExplanation {
  readonly name: string;
  readonly kind: 'bucket_definition' | 'stream';
  /** Why it takes no part; undefined where it does. */
  readonly absence: 'not subscribed' | 'defaults are off' | undefined;
  readonly participations: readonly ParticipationExplanation[];
}

/** A definition as evaluated by default, or for one subscription. */
export interface ParticipationExplanation {
  readonly reason: SubscriptionReason;
  /** The evaluation failed, so it gives no buckets. */
  readonly error: string | undefined;
  readonly resolutions: readonly BucketResolution[];
}

/** How the buckets of one kind were found. */
export interface BucketResolution {
  readonly family: string;
  readonly buckets: readonly string[];
  /** Conditions on the request alone that do not hold. */
  readonly failed: readonly FailedCondition[];
  /** Parts that have nothing to do with each other; shorter where one found nothing. */
  readonly parts: readonly ResolutionPart[];
}

export interface ResolutionPart {
  readonly steps: readonly ResolutionStep[];
  /** The values found for the bucket's keys; none where it only demands that something exists. */
  readonly keys: readonly FoundKey[];
  /** Whether the part found nothing, so that there are no buckets. */
  readonly isEmpty: boolean;
}

export interface FoundKey {
  /** Which of the bucket's keys, from 0. */
  readonly position: number;
  /** Where the values come from, e.g. `auth.user_id()` or `members.list_id`. */
  readonly sql: string;
  readonly values: readonly string[];
}

export type ResolutionStep =
  | { readonly kind: 'each'; readonly inputs: readonly NamedValue[]; readonly elements: number }
  | {
      readonly kind: 'filter';
      readonly kept: number;
      /** For what was not kept. */
      readonly failed: readonly FailedCondition[];
    }
  | {
      readonly kind: 'lookup';
      readonly lookup: LookupDescription;
      readonly asked: readonly AskedLookup[];
      /** Keys that are NULL or BLOB, which match no row. */
      readonly unmatched: readonly NamedValue[];
    };

export interface AskedLookup {
  readonly keys: readonly NamedValue[];
  /** Each the values of `lookup.outputs` for some rows. */
  readonly found: readonly (readonly string[])[];
}

/** Whether a user has a row, and for each bucket of the row what stands between them. */
export interface VisibilityExplanation {
  readonly isVisible: boolean;
  readonly buckets: readonly BucketVisibility[];
}

export interface BucketVisibility extends PlacedBucket {
  readonly definition: string;
  readonly objectType: string;
  /** Why the user has it; empty where not. */
  readonly subscriptions: readonly SubscriptionReason[];
  /** At least one where the user does not have it, else none. */
  readonly whyNot: readonly VisibilityReason[];
}

export type VisibilityReason =
  | { readonly kind: 'absent'; readonly absence: 'not subscribed' | 'defaults are off' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'error'; readonly reason: SubscriptionReason; readonly message: string }
  | {
      readonly kind: 'request filter';
      readonly reason: SubscriptionReason;
      readonly condition: FailedCondition;
    }
  /** A part of the resolution finds nothing at all; its last step says where it ended. */
  | {
      readonly kind: 'nothing found';
      readonly reason: SubscriptionReason;
      readonly part: ResolutionPart;
    }
  /** A part finds values, but not the row's. */
  | {
      readonly kind: 'other values';
      readonly reason: SubscriptionReason;
      readonly needed: NamedValue;
      readonly found: FoundKey;
      readonly part: ResolutionPart;
    }
  /** Each value is found, but not together. */
  | {
      readonly kind: 'other combinations';
      readonly reason: SubscriptionReason;
      readonly needed: readonly NamedValue[];
    };
