/**
 * The keys of a sync config: the one table behind the reader and the JSON Schema for editors.
 * Source: spec/sync-config.md 1 and 2.
 */

export const EDITIONS = [1, 2, 3, 4] as const;

export type KeyValue =
  | { readonly kind: 'flag' }
  /** Number 0 to 3. */
  | { readonly kind: 'priority' }
  | { readonly kind: 'choice'; readonly options: readonly (string | number)[] }
  | { readonly kind: 'sql' }
  | { readonly kind: 'sql list' }
  /** One SQL string, or a list that is not empty. */
  | { readonly kind: 'sql or list' }
  | { readonly kind: 'keys'; readonly keys: KeyTable }
  /** A map from names that the user chooses. */
  | { readonly kind: 'named'; readonly of: KeyValue };

export interface KeyRule {
  readonly value: KeyValue;
  /** For people, in editors. */
  readonly description: string;
  readonly required?: true;
  readonly default?: boolean | number;
  /** A flag that is on from this edition. */
  readonly onFromEdition?: number;
  /** Editions outside refuse the key. */
  readonly fromEdition?: number;
  readonly upToEdition?: number;
  /** What to do where `upToEdition` is exceeded. */
  readonly replacement?: string;
}

export type KeyTable = Readonly<Record<string, KeyRule>>;

const ACCEPT_DANGEROUS = {
  value: { kind: 'flag' },
  default: false,
  description:
    'Silences the warning DANGEROUS. Set it where it is meant that clients choose what they sync.',
} as const satisfies KeyRule;

const PRIORITY = {
  value: { kind: 'priority' },
  default: 3,
  description: 'What clients download first: 0 is most urgent, 3 the default.',
} as const satisfies KeyRule;

const CTES = {
  value: { kind: 'named', of: { kind: 'sql' } },
  fromEdition: 3,
  description: 'Named SELECTs (CTEs) that queries use like tables, or as "x IN name".',
} as const satisfies KeyRule;

export const STREAM_KEYS = {
  query: {
    value: { kind: 'sql' },
    description: 'The SELECT whose rows the stream syncs. Use either query or queries.',
  },
  queries: {
    value: { kind: 'sql list' },
    fromEdition: 3,
    description: 'Several SELECTs whose rows the stream syncs together, often one per table.',
  },
  with: { ...CTES, description: `${CTES.description} For this stream only.` },
  auto_subscribe: {
    value: { kind: 'flag' },
    default: false,
    description: 'Whether every client gets the stream without asking for it.',
  },
  priority: PRIORITY,
  accept_potentially_dangerous_queries: ACCEPT_DANGEROUS,
} as const satisfies KeyTable;

export const DEFINITION_KEYS = {
  parameters: {
    value: { kind: 'sql or list' },
    description:
      "Parameter queries: each row they give is one of the user's buckets. Without them there is one bucket for everybody.",
  },
  data: {
    value: { kind: 'sql list' },
    required: true,
    description: 'Data queries: the rows of each bucket, matched by bucket.<parameter>.',
  },
  priority: PRIORITY,
  accept_potentially_dangerous_queries: ACCEPT_DANGEROUS,
} as const satisfies KeyTable;

export const EVENT_KEYS = {
  payloads: {
    value: { kind: 'sql list' },
    required: true,
    description: 'One SELECT per table: what a changed row of it reports.',
  },
} as const satisfies KeyTable;

export const CONFIG_KEYS = {
  edition: {
    value: { kind: 'choice', options: EDITIONS },
    default: 1,
    description:
      "Version of the language. 4: streams with SQLite's semantics. 3: streams. 1 and 2: bucket definitions.",
  },
  timestamps_iso8601: {
    value: { kind: 'flag' },
    onFromEdition: 2,
    description: 'Times as 2031-07-08T09:10:11.250000Z, instead of with a blank in the middle.',
  },
  versioned_bucket_ids: {
    value: { kind: 'flag' },
    onFromEdition: 2,
    description: 'Whether names of buckets carry the number of the generation.',
  },
  fixed_json_extract: {
    value: { kind: 'flag' },
    onFromEdition: 2,
    description: "Whether 'a.b' after ->> is one key. Only '$.a.b' walks then.",
  },
  custom_postgres_types: {
    value: { kind: 'flag' },
    onFromEdition: 2,
    description: 'Domains as their base type; composites, ranges and arrays of them as JSON.',
  },
  timestamp_max_precision: {
    value: { kind: 'choice', options: ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'] },
    description: 'At most so many digits in times. Needs timestamps_iso8601.',
  },
  unstable_sqlite_expression_engine: {
    value: { kind: 'flag' },
    default: false,
    description: "Expressions with SQLite's semantics. Needs edition 3 with fixed_json_extract.",
  },
  storage_version: {
    value: { kind: 'choice', options: [2, 3] },
    description: 'Format of the bucket storage of PowerSync; has no effect here.',
  },
} as const satisfies KeyTable;

export const TOP_KEYS = {
  config: {
    value: { kind: 'keys', keys: CONFIG_KEYS },
    description: 'Edition of the language, and options.',
  },
  bucket_definitions: {
    value: { kind: 'named', of: { kind: 'keys', keys: DEFINITION_KEYS } },
    upToEdition: 2,
    replacement: 'Rewrite them as streams, or set edition: 2',
    description: 'Which rows go to whom, in the older dialect (editions 1 and 2).',
  },
  streams: {
    value: { kind: 'named', of: { kind: 'keys', keys: STREAM_KEYS } },
    fromEdition: 2,
    description: 'Which rows go to whom: named queries that clients subscribe to.',
  },
  with: { ...CTES, description: `${CTES.description} For all streams.` },
  event_definitions: {
    value: { kind: 'named', of: { kind: 'keys', keys: EVENT_KEYS } },
    description: 'Events that changed rows emit, such as write_checkpoints.',
  },
} as const satisfies KeyTable;
