import { expect, it } from 'vitest';
import { AppError } from '@sluice/base';
import { functionSignIn } from './sign-in-function.ts';

const REQUEST = {
  url: new URL('http://x/token'),
  headers: new Headers(),
  parameters: { pin: '1' },
};

const table: readonly (readonly [string, unknown, unknown])[] = [
  ['a user', { user_id: 'ann', claims: { a: 1 } }, { userId: 'ann', claims: { a: 1 } }],
  ['null', null, 'TOKENS_SIGN_IN_REFUSED'],
  ['undefined', undefined, 'TOKENS_SIGN_IN_REFUSED'],
  ['a text', 'ann', 'TOKENS_SIGN_IN_UNAVAILABLE'],
  ['an object without user_id', {}, 'TOKENS_SIGN_IN_UNAVAILABLE'],
];
for (const [title, answer, expected] of table) {
  it(`a function that gives ${title}`, async () => {
    const signIn = functionSignIn((request) => {
      expect(request).toBe(REQUEST);
      return Promise.resolve(answer);
    }, 'signIn');
    const outcome = await signIn(REQUEST).catch((error: unknown) => error);
    expect(outcome instanceof AppError ? outcome.code : outcome).toEqual(expected);
  });
}

it('what the function throws goes on as it is', async () => {
  const failure = new Error('from the function');
  await expect(functionSignIn(() => Promise.reject(failure), 'f')(REQUEST)).rejects.toBe(failure);
});
