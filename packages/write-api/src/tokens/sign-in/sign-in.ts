import { AppError, isJsonObject, type AppErrorOptions, type JsonObject } from '@sluice/base';
import type { SignedInUser } from '../token-issuer.ts';

/** What the request for a token says about who makes it. */
export interface SignInRequest {
  readonly url: URL;
  readonly headers: Headers;
  /** Those of the query, then the members of a JSON body; later ones win. */
  readonly parameters: JsonObject;
}

/**
 * A way to find out who asks for a token.
 *
 * @throws AppError `TOKENS_SIGN_IN_REFUSED`, `TOKENS_SIGN_IN_UNAVAILABLE` (ask again later) and others.
 */
export type SignIn = (request: SignInRequest) => Promise<SignedInUser>;

/** Nobody has signed in: a 401, after which clients ask again later. */
export class SignInRefusal extends AppError {
  /** Whether something was presented that was wrong, which may have been a guess. */
  readonly wasTried: boolean;

  constructor(message: string, options: AppErrorOptions & { readonly wasTried: boolean }) {
    super('TOKENS_SIGN_IN_REFUSED', message, options);
    this.wasTried = options.wasTried;
  }
}

export function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('TOKENS_SIGN_IN_UNAVAILABLE', message, { cause });
}

/**
 * The user in the answer of the app's session check or function: `{user_id, claims?}`, with
 * `userId` and `sub` as other names of the first.
 *
 * @throws AppError `TOKENS_SIGN_IN_UNAVAILABLE` when it is anything else: the app is to be corrected.
 */
export function userOfAnswer(answer: unknown, whose: string): SignedInUser {
  if (!isJsonObject(answer)) throw unavailable(`The answer of ${whose} is not a JSON object`);
  const id = answer['user_id'] ?? answer['userId'] ?? answer['sub'];
  const isId = (typeof id === 'string' && id !== '') || Number.isSafeInteger(id);
  if (!isId)
    throw unavailable(`The answer of ${whose} has no user_id that is a text or an integer`);
  const claims = answer['claims'] ?? {};
  if (!isJsonObject(claims)) throw unavailable(`The claims of ${whose} are not a JSON object`);
  return { userId: String(id), claims };
}
