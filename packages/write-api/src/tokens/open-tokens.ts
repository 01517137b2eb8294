import path from 'node:path';
import { jsonFetcher, type KeySource } from '@sluice/auth';
import { ConfigError, unreachable, type Clock, type Logger } from '@sluice/base';
import type { SignInWay, TokensConfig } from '../config/tokens-config.ts';
import type { Route } from '../http/route.ts';
import { jwksRoutes } from './jwks-routes.ts';
import {
  environmentKeys,
  environmentRing,
  type Environment,
  type EnvironmentKeys,
} from './keys/environment-keys.ts';
import { fixedRing, ringKeySource, type KeyRings } from './keys/key-ring.ts';
import { LiveKeyFile } from './keys/live-key-file.ts';
import { developmentUsers } from './sign-in/development-users.ts';
import { oidcSignIn } from './sign-in/oidc.ts';
import { sessionCheck } from './sign-in/session-check.ts';
import { functionSignIn, type SignInFunction } from './sign-in/sign-in-function.ts';
import type { SignIn } from './sign-in/sign-in.ts';
import { TokenIssuer, type IssuedToken, type SignedInUser } from './token-issuer.ts';
import { tokenRoutes } from './token-routes.ts';

export interface OpenTokensOptions {
  readonly config: TokensConfig;
  readonly keys: TokenKeys;
  /** Of the tokens that are issued, and accepted of the keys; at least one. */
  readonly audience: readonly string[];
  /** Whether NODE_ENV is `production`. */
  readonly production: boolean;
  /** The app's functions by name; undefined: there are none. */
  readonly signInFunction?: ((name: string) => SignInFunction | undefined) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where the keys are that sign. */
export type TokenKeys =
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'environment' } & EnvironmentKeys);

/** The file that is named; else the pair of the environment; else the file of the usual name. */
export function tokenKeys(
  named: string | undefined,
  { env, baseDir }: { readonly env: Environment; readonly baseDir: string },
): TokenKeys {
  const pair = named === undefined ? environmentKeys(env) : undefined;
  if (pair) return { kind: 'environment', ...pair };
  return { kind: 'file', path: path.resolve(baseDir, named ?? DEFAULT_KEY_FILE) };
}

/** The tokens of this service: what accepts them, and the routes that give them out. */
export interface Tokens {
  /** For `verifyToken`; to stand beside those of `client_auth`. */
  readonly keySource: KeySource;
  readonly routes: readonly Route[];
  /** For those who know otherwise who it is. @throws AppError `TOKENS_CLAIMS_INVALID`. */
  issue(user: SignedInUser): Promise<IssuedToken>;
}

const DEFAULT_KEY_FILE = 'sluice-keys.json';
const UPSTREAM_TIMEOUT_MS = 10_000;

/**
 * Opens the keys, and makes what `write_api.tokens` and `write_api.sign_in` say.
 *
 * @throws AppError `TOKENS_KEYS_*`; ConfigError `CONFIG_INVALID_VALUE`.
 */
export async function openTokens(options: OpenTokensOptions): Promise<Tokens> {
  const { config, audience, clock } = options;
  const signIn = config.signIn && signInOf(config.signIn.way, options);
  const rings = await openRings(options);
  const issuer = new TokenIssuer({
    rings,
    lifetimeSeconds: config.lifetimeSeconds,
    audience,
    clock,
  });
  return {
    issue: (user) => issuer.issue(user),
    keySource: ringKeySource(rings, { audience, now: () => clock.now() }),
    routes: [
      ...jwksRoutes(rings, clock),
      ...(signIn
        ? tokenRoutes({
            signIn,
            issuer,
            endpoint: config.endpoint,
            addressHeader: config.signIn?.addressHeader,
            clock,
          })
        : []),
    ],
  };
}

async function openRings({ keys, clock, logger }: OpenTokensOptions): Promise<KeyRings> {
  if (keys.kind === 'environment') return fixedRing(await environmentRing(keys));
  return LiveKeyFile.open(keys.path, { clock, logger });
}

function signInOf(way: SignInWay, options: OpenTokensOptions): SignIn {
  const { clock, logger, production } = options;
  switch (way.kind) {
    case 'users':
      return developmentUsers({ ...way, production });
    case 'session_check':
      return sessionCheck({ ...way, clock });
    case 'oidc': {
      const fetchJson = jsonFetcher({
        isBlocked: () => false,
        allowIpv6: true,
        timeoutMs: UPSTREAM_TIMEOUT_MS,
      });
      return oidcSignIn({ ...way, fetchJson, clock, logger });
    }
    case 'function': {
      const call = options.signInFunction?.(way.name);
      if (call) return functionSignIn(call, way.name);
      throw new ConfigError('CONFIG_INVALID_VALUE', `There is no function ${way.name}`, {
        remedy: 'Correct write_api.sign_in.function, or add the function to write_api.functions',
      });
    }
    default:
      return unreachable(way);
  }
}
