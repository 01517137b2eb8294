/**
 * A value as SQLite knows it. INTEGER is `bigint` (exact 64 bit), REAL is `number`, TEXT is
 * `string`, BLOB is `Uint8Array`. There is no boolean: sources map it to 1n and 0n.
 * Source: spec/sync-config.md 4.1.
 */
export type SqliteValue = null | bigint | number | string | Uint8Array;

/** A source row: values in the order of its table's columns. */
export type SqliteRow = readonly SqliteValue[];

export type SqliteType = 'integer' | 'real' | 'text' | 'blob';
