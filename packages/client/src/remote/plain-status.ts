import { ClientError } from '../errors.ts';
import type { StatusFacts } from '../sync/status/sync-status.ts';
import { fromPlainError, toPlainError, type PlainError } from './plain-error.ts';

/** What a status says, as it crosses a channel. */
export interface PlainStatus extends Omit<StatusFacts, 'downloadError' | 'uploadError'> {
  readonly downloadError: PlainError | undefined;
  readonly uploadError: PlainError | undefined;
}

export function toPlainStatus(facts: StatusFacts): PlainStatus {
  const { downloadError, uploadError } = facts;
  return {
    ...facts,
    downloadError: downloadError && toPlainError(downloadError),
    uploadError: uploadError && toPlainError(uploadError),
  };
}

export function fromPlainStatus(plain: PlainStatus): StatusFacts {
  const { downloadError, uploadError } = plain;
  return {
    ...plain,
    downloadError: downloadError && clientError(downloadError),
    uploadError: uploadError && clientError(uploadError),
  };
}

function clientError(plain: PlainError): ClientError {
  const error = fromPlainError(plain);
  if (error instanceof ClientError) return error;
  throw new TypeError('A status has errors of the client only');
}
