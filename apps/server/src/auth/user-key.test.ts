import { expect, it } from 'vitest';
import type { JsonValue } from '@sluice/base';
import { parseAuthorization } from '@sluice/auth';
import { userKey } from './user-key.ts';

const SUBJECTS: readonly (readonly [JsonValue | undefined, string])[] = [
  ['u1', 'u1'],
  [42, '42'],
  [true, '1'],
  [false, '0'],
  [null, 'null'],
  [{ a: 1 }, '{"a":1}'],
  [[1, 'b'], '[1,"b"]'],
];
for (const [subject, expected] of SUBJECTS) {
  it(`the user key of ${JSON.stringify(subject)} is ${expected}`, () => {
    expect(userKey(subject, undefined)).toBe(expected);
    expect(userKey(subject, 'c1')).toBe(`${expected}/c1`);
  });
}

const HEADERS: readonly (readonly [string | undefined, string | undefined])[] = [
  ['Token abc', 'abc'],
  ['Bearer abc', 'abc'],
  ['token abc', undefined],
  ['bearer abc', undefined],
  ['Token  abc', undefined],
  ['Token abc ', undefined],
  ['Token a b', undefined],
  ['Token', undefined],
  ['Basic abc', undefined],
  ['', undefined],
  [undefined, undefined],
];
for (const [header, expected] of HEADERS) {
  it(`the Authorization header ${header} holds ${expected ?? 'no token'}`, () =>
    expect(parseAuthorization(header)).toBe(expected));
}
