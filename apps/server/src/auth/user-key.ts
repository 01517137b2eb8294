import type { JsonValue } from '@sluice/base';
import { userKeyOf } from '@sluice/model';

/**
 * The key of a user's write checkpoints, U of spec/protocol.md 5.2: the text of `sub`, with
 * `/client_id` behind it where the client has one. The stream and the checkpoint routes must agree.
 */
export function userKey(subject: JsonValue | undefined, clientId: string | undefined): string {
  return userKeyOf(subjectText(subject), clientId);
}

/** 7.1.7: booleans count as 1 and 0, objects and arrays as JSON text, null as `null`. */
function subjectText(subject: JsonValue | undefined): string {
  if (typeof subject === 'string') return subject;
  if (typeof subject === 'boolean') return subject ? '1' : '0';
  return JSON.stringify(subject ?? null);
}
