import { expect, test } from 'vitest';
import { AppError, SyncError } from './app-error.ts';
import { assert } from './assert.ts';
import { failureFacts } from './failure-facts.ts';

/** What the function throws. */
function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function explode(): never {
  throw new TypeError('x is not a function');
}

function breakAssertion(): void {
  assert(false, 'one is two');
}

test('an exception that nobody expected is told with its own stack, once', () => {
  const { code, message, stack } = failureFacts(thrownBy(explode));
  expect({ code, message }).toEqual({ code: 'INTERNAL_BUG', message: 'x is not a function' });
  expect(stack).toMatch(/^TypeError: x is not a function\n\s+at explode /);
  expect(stack).not.toContain('toAppError');
});

test('so is one that was wrapped on its way', () => {
  const wrapped = new AppError('INTERNAL_BUG', 'wrapped', { cause: thrownBy(explode) });
  expect(failureFacts(wrapped).stack).toMatch(/^TypeError: x is not a function\n\s+at explode /);
});

test('an assertion that does not hold is told with the stack of where it stands', () => {
  expect(failureFacts(thrownBy(breakAssertion)).stack).toContain('at breakAssertion ');
});

test('what is no error, but was thrown, has the stack of where it was handled', () => {
  expect(failureFacts('a text')).toMatchObject({ code: 'INTERNAL_BUG', message: 'a text' });
});

test('a failure of the world is told by code and message alone', () => {
  const cause = new Error('inside');
  const error = new SyncError('SYNC_TOKEN_EXPIRED', 'The token has expired', { cause });
  expect(failureFacts(error)).toEqual({
    code: 'SYNC_TOKEN_EXPIRED',
    message: 'The token has expired',
  });
});
