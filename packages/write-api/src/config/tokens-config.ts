import type { JsonObject } from '@sluice/base';
import type { z } from 'zod';
import type { signInSchema, tokensSchema } from './tokens-schema.ts';

export interface TokensConfig {
  /** As written, relative to the config file; undefined: the environment, else a default name. */
  readonly keys: string | undefined;
  readonly lifetimeSeconds: number;
  /** Undefined: what the service accepts anyway. */
  readonly audience: readonly string[] | undefined;
  readonly endpoint: string | undefined;
  /** Undefined: no tokens are given out, but those that the keys signed are accepted. */
  readonly signIn: SignInConfig | undefined;
}

/** How it is found out who asks for a token. */
interface SignInConfig {
  readonly way: SignInWay;
  readonly addressHeader: string | undefined;
}

export type SignInWay =
  | {
      readonly kind: 'users';
      readonly users: ReadonlyMap<string, JsonObject>;
      readonly allowInProduction: boolean;
    }
  | {
      readonly kind: 'session_check';
      readonly url: string;
      readonly headers: readonly string[];
      readonly timeoutMs: number;
      readonly cacheMs: number;
    }
  | {
      readonly kind: 'oidc';
      readonly issuer: string;
      readonly audience: readonly string[];
      readonly userClaim: string;
      readonly claims: readonly string[];
    }
  | { readonly kind: 'function'; readonly name: string };

interface RawTokens {
  readonly tokens?: z.infer<typeof tokensSchema> | undefined;
  readonly sign_in?: z.infer<typeof signInSchema> | undefined;
}

/** Fills in the defaults; either of the two sections turns tokens on. */
export function tokensConfig(raw: RawTokens): TokensConfig | undefined {
  if (raw.tokens === undefined && raw.sign_in === undefined) return undefined;
  return {
    keys: raw.tokens?.keys,
    lifetimeSeconds: raw.tokens?.lifetime_seconds ?? 300,
    audience: raw.tokens?.audience,
    endpoint: raw.tokens?.endpoint?.replace(/\/+$/, ''),
    signIn: raw.sign_in && {
      way: signInWay(raw.sign_in),
      addressHeader: raw.sign_in.address_header,
    },
  };
}

/** The schema sees to it that there is exactly one. */
function signInWay(raw: z.infer<typeof signInSchema>): SignInWay {
  if (raw.session_check !== undefined) {
    return {
      kind: 'session_check',
      url: raw.session_check,
      headers: raw.session_headers ?? ['authorization', 'cookie'],
      timeoutMs: (raw.session_timeout_seconds ?? 5) * 1000,
      cacheMs: (raw.session_cache_seconds ?? 10) * 1000,
    };
  }
  if (raw.oidc !== undefined) {
    const { issuer, audience, user_claim: userClaim = 'sub', claims = [] } = raw.oidc;
    return { kind: 'oidc', issuer, audience, userClaim, claims };
  }
  if (raw.function !== undefined) return { kind: 'function', name: raw.function };
  const users = Object.entries(raw.users ?? {}).map(([id, claims]) => [id, claims ?? {}] as const);
  return {
    kind: 'users',
    users: new Map<string, JsonObject>(users as [string, JsonObject][]),
    allowInProduction: raw.allow_in_production ?? false,
  };
}
