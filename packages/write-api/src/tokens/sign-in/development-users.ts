import { isIP } from 'node:net';
import { addressFilter } from '@sluice/auth';
import { AppError, ConfigError, type JsonObject } from '@sluice/base';
import { SignInRefusal, type SignIn } from './sign-in.ts';

export interface DevelopmentUsersOptions {
  /** Claims by user id. */
  readonly users: ReadonlyMap<string, JsonObject>;
  readonly production: boolean;
  /** Lets it be used with NODE_ENV=production, and by pages from anywhere. */
  readonly allowInProduction: boolean;
}

/**
 * `GET /token?user_id=ann`: anybody is who they say. For development, so only for pages and names of
 * this machine or network: else any page that a developer has open could take a token and with it
 * the data. (Programs other than browsers send no Origin.)
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` in production, unless that is allowed.
 */
export function developmentUsers(options: DevelopmentUsersOptions): SignIn {
  const { users, production, allowInProduction } = options;
  if (production && !allowInProduction) {
    throw new ConfigError(
      'CONFIG_INVALID_VALUE',
      'write_api.sign_in.users lets anybody be any of these users, and NODE_ENV is production',
      {
        remedy:
          'Sign in by session_check, oidc or function; for an open demonstration set write_api.sign_in.allow_in_production',
      },
    );
  }
  const known = [...users.keys()].slice(0, 20).join(', ');
  return async ({ url, headers, parameters }) => {
    if (!allowInProduction) assertNear(url, headers.get('origin'));
    const given = parameters['user_id'] ?? parameters['user'];
    if (given === undefined) {
      throw new AppError('TOKENS_REQUEST_INVALID', 'It is not said whose token is wanted', {
        remedy: `Add ?user_id=NAME; users: ${known}`,
      });
    }
    const userId = String(given);
    const claims = users.get(userId);
    if (claims !== undefined) return { userId, claims };
    throw new SignInRefusal(`There is no user ${JSON.stringify(userId).slice(0, 80)}`, {
      wasTried: true,
      remedy: `Use one of ${known}, or add it to write_api.sign_in.users`,
    });
  };
}

const isLocalAddress = addressFilter(['local']);

/** The name asked for matters too: a name of the attacker's may point to this machine. */
function assertNear(url: URL, origin: string | null): void {
  const names = [url.hostname, ...(origin === null ? [] : [originHost(origin)])];
  const far = names.find((name) => !isNearName(name));
  if (far === undefined) return;
  throw new AppError(
    'TOKENS_ORIGIN_REFUSED',
    `Development tokens are not for ${far.slice(0, 80) || origin}`,
  );
}

/** `null` is what a page in a sandboxed frame sends, so it may be anybody's. */
function originHost(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : '';
}

/** Addresses of this machine and network, and names that public DNS does not have. */
function isNearName(hostname: string): boolean {
  const name = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(name)) return isLocalAddress(name);
  return /^[^.]+$/.test(name) || /\.(?:localhost|local|test|internal|lan)$/.test(name);
}
