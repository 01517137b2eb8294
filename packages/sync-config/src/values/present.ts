import type { SqliteValue } from '@sluice/model';

/** A value that is not NULL. */
export type Present = Exclude<SqliteValue, null>;
