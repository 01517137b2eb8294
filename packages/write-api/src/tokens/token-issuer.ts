import { AppError, isDeeperThan, isJsonObject, type Clock, type JsonObject } from '@sluice/base';
import { SignJWT } from 'jose';
import type { KeyRings } from './keys/key-ring.ts';

/** Who has signed in, and what the token says about them. */
export interface SignedInUser {
  /** `sub` of the token. */
  readonly userId: string;
  /** Custom claims, for `auth.parameter(…)` in streams and policies. */
  readonly claims: JsonObject;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface TokenIssuerOptions {
  readonly rings: KeyRings;
  /** 1 to 86,400: the longest that the service accepts. */
  readonly lifetimeSeconds: number;
  /** At least one. */
  readonly audience: readonly string[];
  readonly clock: Clock;
}

/** Requests carry the token in a header, of which servers take 8 to 16 KiB in all. */
const MAX_CLAIMS_BYTES = 4096;
/** The verifier's own limit is 100 for the whole payload. */
const MAX_CLAIMS_DEPTH = 50;

/** Signs user tokens (spec/protocol.md 7.1) with the key whose time it is. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;

  constructor(options: TokenIssuerOptions) {
    this.#options = options;
  }

  /**
   * `sub`, `aud`, `iat`, `exp` and `kid` are ours, whatever the claims say.
   *
   * @throws AppError `TOKENS_CLAIMS_INVALID`.
   */
  async issue({ userId, claims }: SignedInUser): Promise<IssuedToken> {
    const { rings, clock, lifetimeSeconds, audience } = this.#options;
    assertUsable(userId, claims);
    const nowMs = clock.now();
    const { kid, alg, privateKey } = (await rings.current()).signer(nowMs);
    const iat = Math.floor(nowMs / 1000);
    const exp = iat + lifetimeSeconds;
    const [first, ...more] = audience;
    const aud = more.length === 0 ? first : audience;
    const payload = { ...withoutOurs(claims), sub: userId, aud, iat, exp };
    const token = await new SignJWT(payload as Record<string, unknown>)
      .setProtectedHeader({ alg, kid, typ: 'JWT' })
      .sign(privateKey);
    return { token, expiresAtMs: exp * 1000 };
  }
}

/** Claims of an upstream token that would say something else, or something wrong, in ours. */
const OURS = new Set(['sub', 'aud', 'iat', 'exp', 'nbf', 'iss', 'jti']);

function withoutOurs(claims: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !OURS.has(name)));
}

function assertUsable(userId: string, claims: JsonObject): void {
  if (userId === '') throw unusable('the user id is empty');
  if (isDeeperThan(claims, MAX_CLAIMS_DEPTH)) {
    throw unusable(`they are nested deeper than ${MAX_CLAIMS_DEPTH} levels`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(claims)) + Buffer.byteLength(userId);
  if (bytes > MAX_CLAIMS_BYTES) {
    throw unusable(`they have ${bytes} bytes, of at most ${MAX_CLAIMS_BYTES}`);
  }
  const { parameters } = claims;
  if (parameters !== undefined && parameters !== null && !isJsonObject(parameters)) {
    throw unusable('parameters is not an object');
  }
}

function unusable(problem: string): AppError {
  return new AppError('TOKENS_CLAIMS_INVALID', `The claims cannot be put into a token: ${problem}`);
}
