import { describe, expect, it } from 'vitest';
import {
  accepted,
  ANN,
  attempt,
  FREE,
  LISTS,
  NO_DATABASE,
  refusal,
  rowOf,
  WORLD,
  write,
  type Attempt,
  type Values,
} from '../testing/attempt.ts';
import { compileTablePolicy } from './compile-table-policy.ts';

type Case = Attempt & { readonly title: string };

const OWN = 'owner_id = auth.user_id()';
const ANNS = { owner_id: 'ann', name: 'Milk' };
const BENS = { owner_id: 'ben', name: 'Beer' };

describe('insert', () => {
  const rules = { insert: `new.${OWN}` };

  it.each<Case>([
    { title: 'a row that the rule allows', rules, write: write('PUT', ANNS) },
    { title: 'with true', rules: { insert: 'true' }, write: write('PUT', BENS) },
    { title: 'bare names are of the new row', rules: { insert: OWN }, write: write('PUT', ANNS) },
    {
      title: 'by a claim',
      rules: { insert: "auth.parameter('role') = 'user'" },
      write: write('PUT', BENS),
    },
    {
      title: 'PUT of a row that is there is no insert',
      rules: { insert: 'false' },
      stored: ANNS,
      write: write('PUT', { name: 'x' }),
    },
  ])('$title is done', async (given) => {
    expect(await accepted(given)).toEqual(Object.fromEntries(given.write.values));
  });

  it.each<Case>([
    { title: 'of somebody else', rules, write: write('PUT', BENS) },
    { title: 'without the column, which is NULL', rules, write: write('PUT', { name: 'x' }) },
    { title: 'with false', rules: { insert: 'false' }, write: write('PUT', ANNS) },
    {
      title: 'by a claim that is missing',
      rules: { insert: "auth.parameter('admin') != 0" },
      write: write('PUT', ANNS),
    },
    {
      title: 'where the expression fails',
      rules: { insert: "json_extract(new.name, '$.x') = 1" },
      write: write('PUT', ANNS),
    },
    {
      title: 'by somebody without a user id',
      rules: { insert: OWN },
      caller: { userId: 'ann', claims: { sub: null }, clientId: undefined },
      write: write('PUT', ANNS),
    },
  ])('$title is refused', async (given) => {
    expect(await refusal(given)).toBe('UPLOAD_FORBIDDEN');
  });
});

describe('update', () => {
  const own = { update: OWN };
  const handOver = write('PATCH', { owner_id: 'ben' });
  const rename = write('PATCH', { name: 'x' });

  it.each<Case>([
    { title: 'of an own row', rules: own, stored: ANNS, write: rename },
    {
      title: 'of an own row, by PUT',
      rules: own,
      stored: ANNS,
      write: write('PUT', { name: 'x' }),
    },
    {
      title: 'that names both rows, as it says',
      rules: { update: 'old.owner_id = auth.user_id() and new.name is not null' },
      stored: ANNS,
      write: handOver,
    },
    {
      title: 'handing over, with a check that allows it',
      rules: { update: OWN, updateCheck: 'true' },
      stored: ANNS,
      write: handOver,
    },
    {
      title: 'of anything, by a claim',
      rules: { update: "auth.parameter('role') = 'user'" },
      stored: BENS,
      write: rename,
    },
  ])('$title is done', async (given) => {
    expect(await accepted(given)).toEqual(Object.fromEntries(given.write.values));
  });

  it.each<Case>([
    {
      title: 'handing over by a rule about bare columns',
      rules: own,
      stored: ANNS,
      write: handOver,
    },
    {
      title: 'handing over by a rule about old alone',
      rules: { update: `old.${OWN}` },
      stored: ANNS,
      write: handOver,
    },
    { title: 'taking by PUT with a known id', rules: own, stored: BENS, write: write('PUT', ANNS) },
    {
      title: 'taking by a rule about new alone',
      rules: { update: `new.${OWN}`, read: 'true' },
      stored: BENS,
      write: write('PATCH', { owner_id: 'ann' }),
    },
    {
      title: 'with a check of its own that fails',
      rules: { update: OWN, updateCheck: "new.name != 'x'" },
      stored: ANNS,
      write: rename,
    },
    {
      title: 'of a row that one sees',
      rules: { update: OWN, read: 'true' },
      stored: BENS,
      write: rename,
    },
    {
      title: 'of a row that one may delete',
      rules: { update: OWN, delete: 'true' },
      stored: BENS,
      write: rename,
    },
    { title: 'with false', rules: { update: 'false' }, stored: ANNS, write: rename },
    { title: 'with false, of a missing row', rules: { update: 'false' }, write: rename },
    {
      title: 'by a claim that is missing, of a missing row',
      rules: { update: "auth.parameter('admin') = 1" },
      write: rename,
    },
  ])('$title is refused', async (given) => {
    expect(await refusal(given)).toBe('UPLOAD_FORBIDDEN');
  });

  it('refuses to take a row in the words of an insert that is not allowed', async () => {
    const taken = await attempt({
      rules: { insert: OWN, update: OWN },
      stored: BENS,
      write: write('PUT', ANNS),
    });
    const inserted = await attempt({
      rules: { insert: OWN, update: OWN },
      write: write('PUT', BENS),
    });
    expect(taken).toEqual(inserted);
    expect(taken).toMatchObject({ refused: 'UPLOAD_FORBIDDEN' });
  });

  it.each<Case>([
    { title: 'a missing row', rules: { ...own, delete: OWN }, write: rename },
    {
      title: 'a row of others that one cannot see',
      rules: { ...own, delete: OWN },
      stored: BENS,
      write: rename,
    },
    {
      title: 'a row of others that read hides',
      rules: { ...own, delete: 'true', read: OWN },
      stored: BENS,
      write: rename,
    },
    {
      title: 'a missing row, with immutable columns',
      rules: { immutable: ['owner_id'] },
      write: handOver,
    },
  ])('of $title does nothing', async (given) => {
    expect(await accepted(given)).toBe('nothing');
  });
});

describe('delete', () => {
  const rules = { delete: OWN, update: OWN };
  it.each<Case & { readonly becomes: string }>([
    { title: 'an own row', rules, stored: ANNS, write: write('DELETE'), becomes: '{}' },
    { title: 'a missing row', rules, write: write('DELETE'), becomes: '"nothing"' },
    { title: 'a row of others', rules, stored: BENS, write: write('DELETE'), becomes: '"nothing"' },
    {
      title: 'a row of others that one sees',
      rules: { ...rules, read: 'true' },
      stored: BENS,
      write: write('DELETE'),
      becomes: 'UPLOAD_FORBIDDEN',
    },
    {
      title: 'any row, with true',
      rules: { delete: 'true' },
      stored: BENS,
      write: write('DELETE'),
      becomes: '{}',
    },
    {
      title: 'any row, with false',
      rules: { delete: 'false' },
      stored: ANNS,
      write: write('DELETE'),
      becomes: 'UPLOAD_FORBIDDEN',
    },
    {
      title: 'a missing row, with false',
      rules: { delete: 'false' },
      write: write('DELETE'),
      becomes: 'UPLOAD_FORBIDDEN',
    },
  ])('of $title becomes $becomes', async ({ becomes, ...given }) => {
    expect(await refusal(given)).toBe(becomes);
  });
});

describe('columns', () => {
  const rules = { insertColumns: ['name', 'owner_id'], updateColumns: ['name'] };
  it.each<Case & { readonly becomes: string }>([
    {
      title: 'insert of listed ones',
      rules,
      write: write('PUT', ANNS),
      becomes: JSON.stringify(ANNS),
    },
    {
      title: 'insert of another',
      rules,
      write: write('PUT', { likes: 5n }),
      becomes: 'UPLOAD_COLUMN_FORBIDDEN',
    },
    {
      title: 'update of another',
      rules,
      stored: ANNS,
      write: write('PATCH', { owner_id: 'ben' }),
      becomes: 'UPLOAD_COLUMN_FORBIDDEN',
    },
    {
      title: 'update of another, of a missing row',
      rules,
      write: write('PATCH', { owner_id: 'ben' }),
      becomes: 'UPLOAD_COLUMN_FORBIDDEN',
    },
    {
      title: 'PUT of an existing row with what may only be inserted, unchanged',
      rules,
      stored: ANNS,
      write: write('PUT', { ...ANNS, name: 'x' }),
      becomes: '{"name":"x"}',
    },
    {
      title: 'PUT of an existing row with what may only be inserted, changed',
      rules,
      stored: ANNS,
      write: write('PUT', { owner_id: 'ben' }),
      becomes: 'UPLOAD_COLUMN_FORBIDDEN',
    },
  ])('$title becomes $becomes', async ({ becomes, ...given }) => {
    expect(await refusal(given)).toBe(becomes);
  });

  it('names the columns that are not allowed', async () => {
    const outcome = await attempt({
      rules,
      write: write('PUT', { likes: 1n, name: 'x', version: 1n }),
    });
    expect(outcome).toMatchObject({ message: 'likes, version of lists cannot be written' });
  });
});

describe('required', () => {
  const rules = { required: ['name', 'owner_id'] };
  it.each<Case & { readonly becomes: string }>([
    {
      title: 'an insert with all',
      rules,
      write: write('PUT', ANNS),
      becomes: JSON.stringify(ANNS),
    },
    {
      title: 'an insert without one',
      rules,
      write: write('PUT', { name: 'x' }),
      becomes: 'UPLOAD_REQUIRED',
    },
    {
      title: 'an insert with NULL',
      rules,
      write: write('PUT', { ...ANNS, name: null }),
      becomes: 'UPLOAD_REQUIRED',
    },
    {
      title: 'an insert where the server sets it',
      rules: { ...rules, setOnInsert: new Map([['owner_id', 'auth.user_id()']]) },
      write: write('PUT', { name: 'x' }),
      becomes: '{"name":"x","owner_id":"ann"}',
    },
    {
      title: 'an update that leaves it',
      rules,
      stored: ANNS,
      write: write('PATCH', { likes: 1n }),
      becomes: '{"likes":1}',
    },
    {
      title: 'an update to NULL',
      rules,
      stored: ANNS,
      write: write('PATCH', { name: null }),
      becomes: 'UPLOAD_REQUIRED',
    },
    {
      title: 'a PUT over a row that has it',
      rules,
      stored: ANNS,
      write: write('PUT', { name: 'x' }),
      becomes: '{"name":"x"}',
    },
  ])('$title becomes $becomes', async ({ becomes, ...given }) => {
    expect(await refusal(given)).toBe(becomes);
  });
});

describe('immutable', () => {
  const rules = { immutable: ['owner_id', 'likes'] };
  const stored = { ...ANNS, likes: 5n };
  it.each<Case & { readonly becomes: string }>([
    { title: 'an insert', rules, write: write('PUT', ANNS), becomes: JSON.stringify(ANNS) },
    {
      title: 'an update of others',
      rules,
      stored,
      write: write('PATCH', { name: 'x' }),
      becomes: '{"name":"x"}',
    },
    {
      title: 'the same value',
      rules,
      stored,
      write: write('PATCH', { name: 'x', owner_id: 'ann', likes: 5n }),
      becomes: '{"name":"x"}',
    },
    {
      title: 'another value',
      rules,
      stored,
      write: write('PATCH', { owner_id: 'ben' }),
      becomes: 'UPLOAD_IMMUTABLE',
    },
    {
      title: 'NULL',
      rules,
      stored,
      write: write('PATCH', { likes: null }),
      becomes: 'UPLOAD_IMMUTABLE',
    },
    {
      title: 'another value by PUT',
      rules,
      stored,
      write: write('PUT', { owner_id: 'ben' }),
      becomes: 'UPLOAD_IMMUTABLE',
    },
  ])('$title becomes $becomes', async ({ becomes, ...given }) => {
    expect(await refusal(given)).toBe(becomes);
  });
});

describe('read', () => {
  const mayRead = async (read: string | undefined, row: Values) => {
    const { policy } = compileTablePolicy({ ...FREE, read }, LISTS, {
      ...WORLD,
      path: ['tables', 'lists'],
    });
    return policy?.mayRead(rowOf(row), ANN, NO_DATABASE);
  };
  it.each([
    [undefined, ANNS, false],
    ['true', BENS, true],
    [OWN, ANNS, true],
    [OWN, BENS, false],
    ['is_public or owner_id = auth.user_id()', { ...BENS, is_public: 1n }, true],
  ])('%s of a row: case %#', async (read, row, expected) => {
    expect(await mayRead(read, row)).toBe(expected);
  });
});

describe('the stored row', () => {
  it.each<[string, Attempt['rules'], ops: string]>([
    ['nothing', {}, ''],
    ['inserts', { insert: OWN }, 'PUT'],
    ['updates', { update: OWN }, 'PUT PATCH'],
    ['updates by claims alone', { update: "auth.parameter('role') = 'x'" }, 'PUT'],
    ['deletions', { delete: OWN }, 'DELETE'],
    ['deletions by claims alone', { delete: "auth.parameter('role') = 'x'" }, ''],
    ['required', { required: ['name'] }, 'PUT'],
    ['immutable', { immutable: ['name'] }, 'PUT PATCH'],
    ['set', { setOnInsert: new Map([['name', "'x'"]]) }, 'PUT'],
    [
      'validate',
      { validate: [{ check: 'new.name is not null', message: 'm', code: undefined }] },
      'PUT PATCH',
    ],
  ])('is needed by rules about %s', (_, rules, ops) => {
    const { policy } = compileTablePolicy({ ...FREE, ...rules }, LISTS, { ...WORLD, path: [] });
    const needed = (['PUT', 'PATCH', 'DELETE'] as const).filter((op) => policy?.needsStored(op));
    expect(needed.join(' ')).toBe(ops);
  });
});
