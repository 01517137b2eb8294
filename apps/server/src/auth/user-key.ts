import { subjectText } from '@sluice/auth';
import type { JsonValue } from '@sluice/base';
import { userKeyOf } from '@sluice/model';

/**
 * The key of a user's write checkpoints, U of spec/protocol.md 5.2: the text of `sub`, with
 * `/client_id` behind it where the client has one. The stream and the checkpoint routes must agree.
 */
export function userKey(subject: JsonValue | undefined, clientId: string | undefined): string {
  return userKeyOf(subjectText(subject), clientId);
}
