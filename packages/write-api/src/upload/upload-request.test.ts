import { describe, expect, test } from 'vitest';
import { clientTransactions, parseUpload } from './upload-request.ts';

const SENDER = { userId: 'u1', clientId: undefined };
const parse = (body: unknown) => parseUpload(body, SENDER);
const put = { op: 'PUT', table: 'lists', id: 'L1', values: new Map([['name', 'Milk']]) };

test('takes the list under batch, crud or entries, and the table as table or type', () => {
  const entry = { op: 'PUT', id: 'L1', data: { name: 'Milk' } };
  for (const body of [
    { batch: [{ ...entry, table: 'lists' }] },
    { crud: [{ ...entry, type: 'lists' }] },
    { entries: [{ ...entry, type: 'lists', tx_id: 4 }] },
  ]) {
    expect(parse(body)?.items).toMatchObject([{ number: null, write: put, key: undefined }]);
  }
});

test('a body without a list of entries is no upload', () => {
  for (const body of [null, [], 'x', {}, { batch: {} }, { crud: null }]) {
    expect(parse(body)).toBeUndefined();
  }
});

test('keeps the number of an entry, and a wrong entry in its place', () => {
  const upload = parse({
    crud: [
      { op_id: 7, op: 'DELETE', type: 'lists', id: 'L1' },
      { op_id: 8, op: 'UPSERT', type: 'lists', id: 'L1' },
      { op_id: 9, op: 'PUT', id: 'L1' },
      { op_id: 10, op: 'PUT', type: 'lists' },
      { op_id: 11, op: 'PUT', type: 'lists', id: 'L1', data: [1] },
      'nonsense',
    ],
  });
  const items = upload?.items ?? [];
  expect(items.map((item) => item.number)).toEqual([7, 8, 9, 10, 11, null]);
  expect(items[0]?.write).toMatchObject({
    op: 'DELETE',
    table: 'lists',
    id: 'L1',
    values: new Map(),
  });
  for (const item of items.slice(1))
    expect([item.write, typeof item.problem]).toEqual([undefined, 'string']);
});

test('values are as SQLite has them, what was before and the metadata beside them', () => {
  const data = { a: 1, b: 1.5, c: true, d: null, e: { x: [1] }, f: 'text', id: 'not a column' };
  const entry = { op: 'PATCH', type: 't', id: 1, data, old: { a: 0 }, metadata: 'why' };
  expect(parse({ crud: [entry] })?.items[0]?.write).toEqual({
    op: 'PATCH',
    table: 't',
    id: '1',
    values: new Map<string, unknown>([
      ['a', 1n],
      ['b', 1.5],
      ['c', 1n],
      ['d', null],
      ['e', '{"x":[1]}'],
      ['f', 'text'],
    ]),
    base: new Map([['a', 0n]]),
    metadata: 'why',
  });
});

describe('keys', () => {
  const entry = { seq: 5, tx: 2, op: 'PUT', table: 't', id: 'a', data: { x: 1, y: 2 } };
  const keyOf = (changes: object, body: object = { clientId: 'c' }, userId = 'u1') =>
    parseUpload({ ...body, entries: [{ ...entry, ...changes }] }, { userId, clientId: undefined })
      ?.items[0]?.key;

  test('are the same for the same entry, whatever the order of its columns', () => {
    expect(keyOf({})).toEqual(keyOf({ data: { y: 2, x: 1 } }));
    expect(keyOf({})).toEqual(keyOf({ seq: '5', tx: 99 }));
    expect(keyOf({})?.seq).toBe('5');
  });

  test.each([
    ['another number', keyOf({ seq: 6 })],
    ['other contents', keyOf({ data: { x: 1, y: 3 } })],
    ['another row', keyOf({ id: 'b' })],
    ['another client', keyOf({}, { clientId: 'd' })],
    ['another user', keyOf({}, { clientId: 'c' }, 'u2')],
  ])('differ for %s', (_title, key) => {
    expect(key).not.toEqual(keyOf({}));
  });

  test('are made of transaction and place where entries have no number, and are missing without client', () => {
    const list = [entry, entry, { ...entry, tx: 3 }].map((each) => ({ ...each, seq: undefined }));
    const keys = parse({ clientId: 'c', entries: list })?.items.map((item) => item.key);
    expect(keys?.map((key) => key?.seq)).toEqual(['2', '2', '3']);
    expect(new Set(keys?.map((key) => key?.digest)).size).toBe(2);
    expect(keyOf({}, {})).toBeUndefined();
    expect(keyOf({ seq: -1, tx: undefined })).toBeUndefined();
    expect(keyOf({ seq: '9223372036854775808', tx: undefined })).toBeUndefined();
  });
});

test('entries with one transaction id that follow each other are one transaction, and so are those without', () => {
  const entries = [1, 1, 2, undefined, undefined, 1].map((tx, n) => ({
    op: 'PUT',
    table: 't',
    id: n,
    tx,
  }));
  const items = parse({ entries })?.items ?? [];
  expect(clientTransactions(items).map((each) => each.map((item) => item.write?.id))).toEqual([
    ['0', '1'],
    ['2'],
    ['3', '4'],
    ['5'],
  ]);
});
