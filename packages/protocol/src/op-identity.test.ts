import { expect, test } from 'vitest';
import { encodeOpElement } from './encode-op.ts';
import { opIdentity } from './op-identity.ts';
import type { Op } from './op.ts';

const identityOf = (op: Op) => opIdentity(Buffer.from(encodeOpElement(op)), 0);

function put(objectType: string, objectId: string, subkey: string, checksum = 1): Op {
  return { kind: 'PUT', opId: 7n, objectType, objectId, subkey, checksum, data: '{}' };
}

test('is equal for all operations of a row, whatever their kind, id, checksum and data', () => {
  const identity = identityOf(put('t', 'é', 's'));
  expect(identityOf(put('t', 'é', 's', 0xffffffff))).toBe(identity);
  const remove = { objectType: 't', objectId: 'é', subkey: 's', checksum: 5 };
  expect(identityOf({ kind: 'REMOVE', opId: 10n ** 18n, ...remove })).toBe(identity);
});

test('differs between rows, also where their texts run together', () => {
  const rows = [put('t', 'ab', 's'), put('ta', 'b', 's'), put('t', 'a', 'bs'), put('t', 'abs', '')];
  expect(new Set(rows.map(identityOf)).size).toBe(rows.length);
});

test('an operation without a row has none', () => {
  const clear = Buffer.from(encodeOpElement({ kind: 'CLEAR', opId: 1n, checksum: 1 }));
  expect(() => opIdentity(clear, 0)).toThrow();
  expect(() => opIdentity(Buffer.alloc(200, 0xff), 0)).toThrow();
});
