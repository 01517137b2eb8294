import {
  addressFilter,
  combineKeySources,
  jsonFetcher,
  literalRefusal,
  RemoteKeys,
  staticKeys,
  type AddressPolicy,
  type KeySource,
  type VerificationKey,
} from '@sluice/auth';
import type { Clock, Logger } from '@sluice/base';
import type { ClientAuthConfig } from '../config/service-config.ts';

export interface ConfiguredKeysOptions {
  readonly auth: ClientAuthConfig;
  /** Tells which Supabase project the source belongs to. */
  readonly sourceHostname: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For tests; the default refuses what the config refuses. */
  readonly fetchJson?: ((url: string) => Promise<unknown>) | undefined;
}

const FETCH_TIMEOUT_MS = 30_000;
/** Supabase's own rules: 7 days and 20 minutes. */
const SUPABASE = { audience: ['authenticated'], maxLifetimeSeconds: 606_000 } as const;

/** The key sources that `client_auth` names (spec/protocol.md 7.2). */
export function configuredKeys(options: ConfiguredKeysOptions): KeySource {
  const { auth, clock, logger } = options;
  const policy = addressPolicy(auth);
  const fetchJson = options.fetchJson ?? jsonFetcher({ ...policy, timeoutMs: FETCH_TIMEOUT_MS });
  for (const url of auth.jwksUris) warnIfRefused(url, policy, logger);
  const remote = { fetchJson, clock, logger };
  const sources = [
    staticKeys([...auth.keys.map((jwk) => ({ jwk })), ...supabaseSecret(auth)]),
    ...auth.jwksUris.map((url) => new RemoteKeys({ url, ...remote })),
  ];
  const supabaseUrl = auth.supabase ? supabaseJwksUrl(options.sourceHostname) : undefined;
  if (supabaseUrl) sources.push(new RemoteKeys({ url: supabaseUrl, ...SUPABASE, ...remote }));
  else if (auth.supabase && auth.supabaseJwtSecret === undefined) {
    logger.warn('auth_supabase_unknown', {
      message: 'client_auth.supabase is set, but the source is not a Supabase database',
      remedy: 'Set client_auth.jwks_uri instead',
    });
  }
  return combineKeySources(sources);
}

function addressPolicy(auth: ClientAuthConfig): AddressPolicy {
  const local = auth.blockLocalJwks ? ['local'] : [];
  return {
    isBlocked: addressFilter([...auth.jwksRejectIpRanges, ...local]),
    allowIpv6: !auth.blockLocalJwks,
  };
}

/** Addresses are known at once; names are looked at when they are looked up. */
function warnIfRefused(url: string, policy: AddressPolicy, logger: Logger): void {
  const refusal = literalRefusal(new URL(url), policy);
  if (!refusal) return;
  const { code, message, remedy } = refusal;
  logger.warn('auth_keys_refused', { url, code, message, remedy });
}

function supabaseSecret(auth: ClientAuthConfig): VerificationKey[] {
  if (!auth.supabase || auth.supabaseJwtSecret === undefined) return [];
  const k = Buffer.from(auth.supabaseJwtSecret, 'utf8').toString('base64url');
  return [{ jwk: { kty: 'oct', alg: 'HS256', k }, ...SUPABASE }];
}

/** `db.<ref>.supabase.co` tells the project. */
function supabaseJwksUrl(hostname: string | undefined): string | undefined {
  const project = /^db\.([a-z0-9-]+)\.supabase\.co$/.exec(hostname ?? '')?.[1];
  return project && `https://${project}.supabase.co/auth/v1/.well-known/jwks.json`;
}
