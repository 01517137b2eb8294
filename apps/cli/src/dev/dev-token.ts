import { silentLogger, systemClock } from '@sluice/base';
import { openTokens, type Tokens } from '@sluice/write-api';

export const DEV_AUDIENCE = 'sluice-dev';
const DEV_TOKEN_SECONDS = 24 * 60 * 60;

/** The tokens of `sluice dev`, by the keys of its folder: of this lifetime where the command signs them. */
export function openDevTokens(keyFile: string): Promise<Tokens> {
  return openTokens({
    config: {
      keys: keyFile,
      lifetimeSeconds: DEV_TOKEN_SECONDS,
      audience: undefined,
      endpoint: undefined,
      signIn: undefined,
    },
    keys: { kind: 'file', path: keyFile },
    audience: [DEV_AUDIENCE],
    production: false,
    clock: systemClock,
    logger: silentLogger,
  });
}

/** A token for development: `sub` is the user, valid for 24 hours (spec/protocol.md 7.1). */
export async function signDevToken(keyFile: string, user: string): Promise<string> {
  const tokens = await openDevTokens(keyFile);
  return (await tokens.issue({ userId: user, claims: {} })).token;
}
