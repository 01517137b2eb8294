import type { ValueOptions } from '@sluice/source';

/** How values are mapped, from the options of a sync config (spec/sync-config.md 2 and 15). */
export interface TypeOptions {
  /** `timestamps_iso8601`: `T` between date and time, and a fixed number of digits. */
  readonly isoTimestamps: boolean;
  /** Sub-second digits, 0 to 9; more than PostgreSQL's 6 count as 6. ISO mode only. */
  readonly timestampDigits: number;
  /** `custom_postgres_types`: composites, ranges and arrays of user-defined types become JSON. */
  readonly customTypes: boolean;
}

export const DEFAULT_TYPE_OPTIONS: TypeOptions = {
  isoTimestamps: true,
  timestampDigits: 6,
  customTypes: true,
};

/** With PostgreSQL's own precision where the sync config names none. */
export function typeOptions(values: ValueOptions | undefined): TypeOptions {
  if (values === undefined) return DEFAULT_TYPE_OPTIONS;
  const { timestampDigits = DEFAULT_TYPE_OPTIONS.timestampDigits } = values;
  return { ...values, timestampDigits };
}
