import { describe, expect, it } from 'vitest';
import { AppError, ConfigError } from '@sluice/base';
import { developmentUsers } from './development-users.ts';

const USERS = new Map([
  ['ann', { name: 'Ann' }],
  ['ben', {}],
]);

async function check(
  url: string,
  origin?: string,
  options: { readonly allowInProduction?: boolean; readonly production?: boolean } = {},
): Promise<unknown> {
  const { production = false, allowInProduction = false } = options;
  const signIn = developmentUsers({ users: USERS, production, allowInProduction });
  const parsed = new URL(url);
  const parameters = Object.fromEntries(parsed.searchParams);
  const headers = new Headers(origin === undefined ? {} : { origin });
  try {
    return await signIn({ url: parsed, headers, parameters });
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe('who', () => {
  const at = 'http://localhost:8080/token';
  const table: readonly (readonly [string, unknown])[] = [
    [`${at}?user_id=ann`, { userId: 'ann', claims: { name: 'Ann' } }],
    [`${at}?user_id=ben`, { userId: 'ben', claims: {} }],
    [`${at}?user=ben`, { userId: 'ben', claims: {} }],
    [`${at}?user_id=eve`, 'TOKENS_SIGN_IN_REFUSED'],
    [`${at}?user_id=`, 'TOKENS_SIGN_IN_REFUSED'],
    [`${at}?user_id=__proto__`, 'TOKENS_SIGN_IN_REFUSED'],
    [at, 'TOKENS_REQUEST_INVALID'],
  ];
  for (const [url, expected] of table) {
    it(`${url} is ${JSON.stringify(expected)}`, async () =>
      expect(await check(url)).toEqual(expected));
  }
});

describe('from where', () => {
  const ann = { userId: 'ann', claims: { name: 'Ann' } };
  const refusal = 'TOKENS_ORIGIN_REFUSED';
  const table: readonly (readonly [string, string | undefined, unknown])[] = [
    ['localhost:8080', undefined, ann],
    ['localhost:8080', 'http://localhost:5173', ann],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', ann],
    ['[::1]:8080', 'http://[::1]:8080', ann],
    ['192.168.1.20:8080', 'http://192.168.1.20:8081', ann],
    ['sluice:8080', undefined, ann],
    ['my-laptop.local:8080', 'capacitor://localhost', ann],
    ['localhost:8080', 'https://pages.example.com', refusal],
    ['localhost:8080', 'https://localhost.example.com', refusal],
    ['localhost:8080', 'null', refusal],
    ['localhost:8080', '', refusal],
    ['localhost:8080', 'http://8.8.8.8', refusal],
    // A name of somebody else that points to this machine (DNS rebinding) sends no Origin.
    ['rebound.example.com:8080', undefined, refusal],
    ['8.8.8.8:8080', undefined, refusal],
  ];
  for (const [host, origin, expected] of table) {
    const from = origin === undefined ? 'a program' : `a page of ${origin}`;
    it(`${host}, asked by ${from}`, async () =>
      expect(await check(`http://${host}/token?user_id=ann`, origin)).toEqual(expected));
  }
});

describe('in production', () => {
  it('it is refused when it is set up, and the message says what to do', () => {
    const open = () =>
      developmentUsers({ users: USERS, production: true, allowInProduction: false });
    expect(open).toThrow(ConfigError);
    expect(open).toThrow(/lets anybody be any of these users, and NODE_ENV is production/);
  });

  it('it can be allowed, and then for pages of anywhere', async () => {
    const options = { production: true, allowInProduction: true };
    const user = await check(
      'https://demo.example.com/token?user_id=ann',
      'https://x.com',
      options,
    );
    expect(user).toEqual({ userId: 'ann', claims: { name: 'Ann' } });
  });
});
