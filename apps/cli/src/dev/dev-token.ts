import { SignJWT } from 'jose';

/** A symmetric key as in RFC 7517, as `client_auth.jwks.keys` takes it. */
export interface DevKey {
  readonly kty: 'oct';
  readonly alg: 'HS256';
  readonly kid: string;
  /** base64url */
  readonly k: string;
}

export const DEV_AUDIENCE = 'sluice-dev';
const DEV_TOKEN_SECONDS = 24 * 60 * 60;

/** A token for development: `sub` is the user, valid for 24 hours (spec/protocol.md 7.1). */
export async function signDevToken(key: DevKey, user: string, nowMs: number): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: key.alg, kid: key.kid })
    .setSubject(user)
    .setAudience(DEV_AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + DEV_TOKEN_SECONDS)
    .sign(Buffer.from(key.k, 'base64url'));
}
