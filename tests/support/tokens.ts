import { createHmac, randomBytes } from 'node:crypto';

/** A shared HS256 secret, as the service config wants it and for signing tokens. */
export class TokenIssuer {
  readonly #secret = randomBytes(32);
  readonly kid = 'test';
  readonly audience: string;

  constructor(audience = 'sluice-test') {
    this.audience = audience;
  }

  /** The key for `client_auth.jwks.keys`. */
  get jwk() {
    return {
      kty: 'oct',
      alg: 'HS256',
      kid: this.kid,
      k: this.#secret.toString('base64url'),
    } as const;
  }

  token(
    userId: string,
    lifetimeSeconds = 3600,
    audience = this.audience,
    claims: Readonly<Record<string, unknown>> = {},
  ): string {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload = {
      ...claims,
      sub: userId,
      aud: audience,
      iat: nowSeconds,
      exp: nowSeconds + lifetimeSeconds,
    };
    const text = `${part({ alg: 'HS256', kid: this.kid })}.${part(payload)}`;
    const signature = createHmac('sha256', this.#secret).update(text).digest('base64url');
    return `${text}.${signature}`;
  }
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
