import { describe, expect, it } from 'vitest';
import { AppError, ERROR_TABLE, type ErrorCode } from '@sluice/base';
import { streamErrorText, toWireError, wireErrorText } from './wire-error.ts';

/** spec/protocol.md 1.5: the codes that can reach a caller, with their status. */
const STATUSES: Readonly<Record<string, readonly number[]>> = {
  PSYNC_R0001: [422],
  PSYNC_S0001: [500],
  PSYNC_S2001: [500, 400],
  PSYNC_S2002: [404],
  PSYNC_S2003: [503],
  PSYNC_S2004: [415],
  PSYNC_S2101: [401],
  PSYNC_S2103: [401],
  PSYNC_S2104: [401],
  PSYNC_S2105: [401],
  PSYNC_S2106: [401],
  PSYNC_S2202: [401],
  PSYNC_S2203: [401],
  PSYNC_S2204: [401],
  PSYNC_S2302: [500],
  PSYNC_S2304: [429],
  PSYNC_S2305: [500],
  PSYNC_S2402: [500],
  PSYNC_S2404: [500],
  PSYNC_S4104: [422],
  PSYNC_S4105: [422],
  PSYNC_S4106: [409],
};

/** Those that the specification has for logs; a caller sees them as failures of the service. */
const OF_THE_INSIDE = /^PSYNC_S(1002|1003|1005|1120|1121|1141|1142|1143|1146)$/;

/** Our own routes and limits answer with statuses that S2001 does not have there. */
const OUR_OWN: Partial<Readonly<Record<ErrorCode, number>>> = {
  API_BODY_TOO_LARGE: 413, // 1.1.4 wants the status
  SYNC_OVERLOADED: 503,
  SYNC_CLIENT_TOO_SLOW: 503,
  REPLICATION_WAITING: 503,
  API_DEPLOY_UNANSWERED: 504,
  API_ADMIN_UNANSWERED: 504,
  API_WORKER_UNANSWERED: 504,
  API_WORKER_ENDED: 503,
  CONFIG_NO_PREVIOUS: 422,
};

// The write API has paths and codes of its own (docs/write-api.md).
const CODES = (Object.keys(ERROR_TABLE) as ErrorCode[]).filter(
  (code) => !/^(UPLOAD|CLI|DATA|TOKENS|FUNCTION|HOOK|WRITE)/.test(code),
);

describe('1.5: every failure has a code and the status that clients know', () => {
  it.each(CODES)('%s', (code) => {
    const { status, body } = toWireError(new AppError(code, 'm'), { production: true });
    const { error } = body;
    expect(error.status).toBe(status);
    expect(error.code).toMatch(/^PSYNC_[RS]\d{4}$/);
    if (OUR_OWN[code] !== undefined) expect(status).toBe(OUR_OWN[code]);
    else if (OF_THE_INSIDE.test(error.code)) expect(status).toBe(500);
    else expect(STATUSES[error.code], `${error.code} with ${status}`).toContain(status);
    // Clients fetch a new token after 401 and S21xx, so nothing else may look like that (12.1).
    expect(status === 401).toBe(/^PSYNC_S2[12]/.test(error.code));
  });
});

describe('1.4: the body and the text of an error', () => {
  const expired = new AppError('SYNC_TOKEN_EXPIRED', 'The token has expired');

  it('has exactly the fields of the specification, in production without the stack', () => {
    const { body } = toWireError(expired, { production: true });
    expect(JSON.parse(JSON.stringify(body))).toEqual({
      error: {
        name: 'AuthorizationError',
        code: 'PSYNC_S2103',
        status: 401,
        description: 'The token has expired',
        details: expect.any(String) as unknown,
      },
    });
    const inside = new AppError('INTERNAL_BUG', 'secret');
    expect(Object.keys(toWireError(inside, { production: false }).body.error)).toContain('stack');
  });

  it('is [CODE] description, newline, two spaces, details', () => {
    const { description, details } = toWireError(expired, { production: true }).body.error;
    expect(wireErrorText(expired, { production: true })).toBe(
      `[PSYNC_S2103] ${description}\n  ${details}`,
    );
  });

  // spec/protocol.md 3.8
  it('on an RSocket stream, what nobody expected is S2001 with what it was as details, outside production', () => {
    const failure = new TypeError('x is not a function');
    expect(streamErrorText(failure, { production: false })).toBe(
      '[PSYNC_S2001] Internal server error\n  x is not a function',
    );
    expect(streamErrorText(failure, { production: true })).toBe(
      '[PSYNC_S2001] Internal server error',
    );
    const broken = new AppError('INTERNAL_BUG', 'Expected that a is b');
    for (const error of [expired, broken]) {
      const text = wireErrorText(error, { production: true });
      expect(streamErrorText(error, { production: true })).toBe(text);
    }
  });
});
