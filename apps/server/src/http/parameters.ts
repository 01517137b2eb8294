import { SyncError, type JsonObject } from '@sluice/base';

/** @throws SyncError `SYNC_REQUEST_INVALID` when the parameter is missing or no text. */
export function requiredText(parameters: JsonObject, name: string): string {
  const value = parameters[name];
  if (typeof value === 'string') return value;
  throw invalidParameters([`${name} must be a string`]);
}

/** 400 with every problem (spec/protocol.md 1.4). */
export function invalidParameters(problems: readonly string[]): SyncError {
  return new SyncError('SYNC_REQUEST_INVALID', problems.join('; '), { details: { problems } });
}
