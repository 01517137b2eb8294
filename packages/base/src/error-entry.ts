/** A line of the table of failures (`error-table.ts`). */
export interface ErrorEntry {
  readonly meaning: string;
  readonly remedy: string;
  readonly httpStatus: number;
  readonly logLevel: 'error' | 'warn' | 'info';
  /** Whether the same attempt may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

export const entry = (
  meaning: string,
  remedy: string,
  rest: Partial<Omit<ErrorEntry, 'meaning' | 'remedy'>> = {},
): ErrorEntry => ({
  meaning,
  remedy,
  httpStatus: 500,
  logLevel: 'error',
  retryable: false,
  ...rest,
});

export const RETRY = { retryable: true, logLevel: 'warn' } as const;
export const REJECTED = { httpStatus: 422, logLevel: 'warn' } as const;
export const UNAUTHORIZED = { httpStatus: 401, logLevel: 'info' } as const;
