import {
  parseAuthorization,
  RemoteKeys,
  subjectText,
  verifyToken,
  type KeySource,
} from '@sluice/auth';
import { isJsonObject, toAppError, type AppError, type Clock, type Logger } from '@sluice/base';
import { SignInRefusal, unavailable, type SignIn, type SignInRequest } from './sign-in.ts';

export interface OidcOptions {
  /** As in its discovery document and its tokens, exactly. */
  readonly issuer: string;
  readonly audience: readonly string[];
  /** The claim that is the user id. */
  readonly userClaim: string;
  /** Claims that go over into our token. */
  readonly claims: readonly string[];
  readonly fetchJson: (url: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Exchanges an ID or access token of an upstream issuer (OpenID Connect Discovery 1.0), which comes
 * in the Authorization header or as `id_token` or `access_token` of the body, for one of ours.
 */
export function oidcSignIn(options: OidcOptions): SignIn {
  const { issuer, audience, userClaim, clock } = options;
  const keys = issuerKeys(options);
  return async (request) => {
    const token = upstreamToken(request);
    if (token === undefined) {
      throw new SignInRefusal('The request has no token of the issuer', { wasTried: false });
    }
    const claims = await verifyToken(token, { keys, audience, clock }).then(
      (verified) => verified.claims,
      (error: unknown) => Promise.reject(translated(toAppError(error))),
    );
    if (claims['iss'] !== issuer)
      throw new SignInRefusal(`It is not ${issuer}'s token`, { wasTried: true });
    const id = claims[userClaim];
    if (id === undefined || id === null || id === '' || isJsonObject(id)) {
      throw new SignInRefusal(`The token has no claim ${userClaim}`, { wasTried: true });
    }
    const kept = options.claims.flatMap((name) => {
      const value = claims[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { userId: subjectText(id), claims: Object.fromEntries(kept) };
  };
}

/** The keys that the discovery document names; `RemoteKeys` caches and bounds both requests. */
function issuerKeys({ issuer, fetchJson, clock, logger }: OidcOptions): KeySource {
  return new RemoteKeys({
    url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    fetchJson: async (url) => {
      const document = await fetchJson(url);
      if (!isJsonObject(document)) throw new Error('the discovery document is not a JSON object');
      if (document['issuer'] !== issuer) {
        throw new Error(
          `the discovery document is of the issuer ${JSON.stringify(document['issuer'])}`,
        );
      }
      const jwksUri = document['jwks_uri'];
      if (typeof jwksUri !== 'string') throw new Error('the discovery document has no jwks_uri');
      return fetchJson(jwksUri);
    },
    // How long they live is the issuer's choice; that they have not ended is checked.
    maxLifetimeSeconds: Infinity,
    clock,
    logger,
  });
}

function upstreamToken({ headers, parameters }: SignInRequest): string | undefined {
  const inBody = parameters['id_token'] ?? parameters['access_token'];
  if (typeof inBody === 'string') return inBody;
  return parseAuthorization(headers.get('authorization') ?? undefined);
}

/** What is wrong with an upstream token has nothing to do with `client_auth`, of which the codes speak. */
function translated(error: AppError): AppError {
  const { code, message } = error;
  if (code.startsWith('SYNC_KEYS_')) return unavailable(message, error);
  if (!code.startsWith('SYNC_TOKEN_')) return error;
  const remedy = 'Send a token of the issuer and audience that write_api.sign_in.oidc names';
  return new SignInRefusal(message, { wasTried: true, remedy, cause: error });
}
