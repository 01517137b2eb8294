import { userKeyOf, type SqliteValue } from '@sluice/model';
import type { EvaluatedEvent, RowWriteCheckpoint } from '../contract.ts';

const MAX_VALUE = 2n ** 63n - 1n;

/**
 * The write checkpoint that a payload is (spec/protocol.md 5.3). Undefined where it has no number
 * yet (NULL or 0); a text says what is wrong with it, without quoting the row.
 */
export function writeCheckpointOf({
  event,
  payload,
}: EvaluatedEvent): RowWriteCheckpoint | string | undefined {
  const absent = ['user_id', 'checkpoint'].find((name) => !payload.has(name));
  if (absent !== undefined) return `The payload of ${event} has no ${absent}`;
  const checkpoint = payload.get('checkpoint') ?? null;
  if (checkpoint === null || Number(checkpoint) === 0) return undefined;
  const value = integerOf(checkpoint);
  if (value === undefined) return 'checkpoint is no integer from 1 to 2^63-1';
  const user = textOf(payload.get('user_id') ?? null);
  if (user === undefined) return 'user_id is NULL or a BLOB';
  const clientId = payload.get('client_id') ?? '';
  const client = textOf(clientId);
  if (client === undefined) return 'client_id is a BLOB';
  return { user: userKeyOf(user, client), value };
}

function integerOf(value: SqliteValue): bigint | undefined {
  const isInteger =
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isSafeInteger(value)) ||
    (typeof value === 'string' && /^\d{1,19}$/.test(value));
  if (!isInteger) return undefined;
  const integer = BigInt(value);
  return integer >= 1n && integer <= MAX_VALUE ? integer : undefined;
}

/** As the `sub` of a token becomes text (spec/protocol.md 7.1.7). */
function textOf(value: SqliteValue): string | undefined {
  return value === null || value instanceof Uint8Array ? undefined : String(value);
}
