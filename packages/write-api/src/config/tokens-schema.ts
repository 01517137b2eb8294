import { z } from 'zod';
import { flag, integer, key, list, text } from './described-key.ts';

/** `write_api.tokens`: how tokens are signed, and what is in them. */
export const tokensSchema = z.strictObject({
  keys: text(
    'File of the keys that sign (`sluice keys generate`), relative to this file',
    'the key pair of `SLUICE_PRIVATE_KEY` (or `POWERSYNC_PRIVATE_KEY`, `PRIVATE_KEY`) if that is set, else `sluice-keys.json`',
  ),
  lifetime_seconds: integer(30, 86_400, 'How long a token is good for', '300'),
  audience: list('`aud` of the tokens', '`client_auth.audience`, else `[sluice]`'),
  endpoint: text(
    'URL of the service for clients, given out with each token',
    'the one that the request came to',
  ),
});

const oidc = z.strictObject({
  issuer: text('Issuer of the tokens that are exchanged for ours; required').unwrap(),
  audience: list('Their `aud`, one of these; required').unwrap(),
  user_claim: text('Claim that is the user id', '`sub`'),
  claims: list('Claims that go over into our tokens', '`[]`'),
});

const WAYS = ['users', 'session_check', 'oidc', 'function'] as const;

/** `write_api.sign_in`: how it is found out who asks for a token. */
export const signInSchema = z
  .strictObject({
    users: key(
      z.record(z.string(), z.nullable(z.record(z.string(), z.json()))),
      'map of claims by user id',
      'For development: anybody is any of these users, `GET /token?user_id=…`',
    ),
    allow_in_production: flag(
      'Lets `users` be with NODE_ENV=production, and for pages of anywhere',
    ),
    session_check: text(
      'URL of the app that answers 200 `{"user_id": …, "claims": {…}}`, or 401, to the headers of the request',
    ),
    session_headers: list(
      'Headers that are passed on to it; no others are',
      '`[authorization, cookie]`',
    ),
    session_timeout_seconds: integer(1, 60, 'How long it may take to answer', '5'),
    session_cache_seconds: integer(0, 3600, 'How long an answer is good for equal headers', '10'),
    oidc: oidc.optional(),
    function: text('Name of a function that tells from the request who it is'),
    address_header: text(
      'Header in which a proxy names the address of the client, last in a list (e.g. `x-forwarded-for`), for the limit of refused sign-ins',
      'the address of the connection',
    ),
  })
  .refine((signIn) => WAYS.filter((way) => signIn[way] !== undefined).length === 1, {
    error: `expected exactly one of ${WAYS.join(', ')}`,
  });
