export interface ResolvedBuckets {
  /** Without duplicates, in definition order. */
  readonly buckets: readonly ResolvedBucket[];
  /** The streams that take part, in config order (spec/protocol.md 6.1). */
  readonly streams: readonly ResolvedStream[];
  /** Every key asked for; the result stays valid until one of them changes. */
  readonly lookupKeys: ReadonlySet<string>;
}

export interface ResolvedBucket {
  readonly name: string;
  readonly definition: string;
  /** 0..3, 0 is most urgent. */
  readonly priority: number;
  /** Why the client has it: index into `streams`, or into the request's subscriptions. */
  readonly subscriptions: readonly SubscriptionReason[];
}

export type SubscriptionReason = { readonly default: number } | { readonly sub: number };

export interface ResolvedStream {
  readonly name: string;
  readonly isDefault: boolean;
  readonly errors: readonly {
    readonly subscription: 'default' | number;
    readonly message: string;
  }[];
}
