import type { ValueOptions } from '@sluice/source';
import type { SyncOptions } from '@sluice/sync-config';

const SUB_SECOND_DIGITS = { seconds: 0, milliseconds: 3, microseconds: 6, nanoseconds: 9 } as const;

/** What a sync config asks of those who turn source values into SQLite values. */
export function valueOptions(options: SyncOptions): ValueOptions {
  const { timestampMaxPrecision: precision } = options;
  return {
    isoTimestamps: options.timestampsIso8601,
    timestampDigits: precision === undefined ? undefined : SUB_SECOND_DIGITS[precision],
    customTypes: options.customPostgresTypes,
  };
}
