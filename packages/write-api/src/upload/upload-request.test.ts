import { expect, test } from 'vitest';
import { parseUpload } from './upload-request.ts';

const put = { op: 'PUT', table: 'lists', id: 'L1', data: { name: 'Milk' } };

test('takes the list under batch, crud or entries, and the table as table or type', () => {
  const entry = { op: 'PUT', id: 'L1', data: { name: 'Milk' } };
  for (const body of [
    { batch: [{ ...entry, table: 'lists' }] },
    { crud: [{ ...entry, type: 'lists' }] },
    { entries: [{ ...entry, type: 'lists', tx_id: 4 }] },
  ]) {
    expect(parseUpload(body)).toEqual([{ opId: null, content: put }]);
  }
});

test('a body without a list of entries is no upload', () => {
  for (const body of [null, [], 'x', {}, { batch: {} }, { crud: null }]) {
    expect(parseUpload(body)).toBeUndefined();
  }
});

test('keeps the number of an entry, and a wrong entry in its place', () => {
  const items = parseUpload({
    crud: [
      { op_id: 7, op: 'DELETE', type: 'lists', id: 'L1' },
      { op_id: 8, op: 'UPSERT', type: 'lists', id: 'L1' },
      { op_id: 9, op: 'PUT', id: 'L1' },
      { op_id: 10, op: 'PUT', type: 'lists' },
      { op_id: 11, op: 'PUT', type: 'lists', id: 'L1', data: [1] },
      'nonsense',
    ],
  });
  expect(items?.map((item) => item.opId)).toEqual([7, 8, 9, 10, 11, null]);
  expect(items?.[0]?.content).toEqual({ op: 'DELETE', table: 'lists', id: 'L1', data: {} });
  for (const item of items?.slice(1) ?? []) expect(typeof item.content).toBe('string');
});
