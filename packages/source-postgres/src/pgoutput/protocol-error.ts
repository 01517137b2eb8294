import { SourceError } from '@sluice/base';

/** The error for bytes that are no pgoutput message. `details` are numbers and names, never data. */
export function protocolError(
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
): SourceError {
  return new SourceError('SOURCE_PROTOCOL', `Bad replication message: ${problem}`, { details });
}
