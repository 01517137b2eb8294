import { describe, expect, it } from 'vitest';
import {
  accepted,
  attempt,
  refusal,
  WORLD,
  write,
  type Attempt,
  type Values,
} from '../testing/attempt.ts';

type Case = Attempt & { readonly title: string };

const OWN = 'owner_id = auth.user_id()';
const ANNS = { owner_id: 'ann', name: 'Milk' };

describe('set', () => {
  const rules = {
    setOnInsert: new Map([
      ['created_by', 'auth.user_id()'],
      ['updated_at', "datetime('now')"],
    ]),
    setOnUpdate: new Map([['updated_at', "datetime('now')"]]),
  };
  const NOW = '2026-03-04 05:06:07';

  it.each<Case & { readonly becomes: Values }>([
    { title: 'at an insert', rules, write: write('PUT', { name: 'x' }), becomes: { name: 'x', created_by: 'ann', updated_at: NOW } },
    { title: 'at an insert, over what came', rules, write: write('PUT', { created_by: 'ben' }), becomes: { created_by: 'ann', updated_at: NOW } },
    { title: 'at an update, not what is for inserts', rules, stored: ANNS, write: write('PATCH', { name: 'x', updated_at: 'old' }), becomes: { name: 'x', updated_at: NOW } },
    { title: 'by PUT of a row that is there', rules, stored: ANNS, write: write('PUT', { name: 'x', created_by: 'ben' }), becomes: { name: 'x', updated_at: NOW } },
    { title: 'dropping what an update may not say', rules, stored: ANNS, write: write('PATCH', { name: 'x', created_by: 'ben' }), becomes: { name: 'x', updated_at: NOW } },
    { title: 'keeping what columns lists by name', rules: { ...rules, updateColumns: ['created_by'] }, stored: ANNS, write: write('PATCH', { created_by: 'ben' }), becomes: { created_by: 'ben', updated_at: NOW } },
    { title: 'from other columns', rules: { setOnUpdate: new Map([['name', "old.name || '/' || new.owner_id"]]) }, stored: ANNS, write: write('PATCH', { owner_id: 'ben' }), becomes: { owner_id: 'ben', name: 'Milk/ben' } },
    { title: 'nothing, when nothing is written', rules, stored: ANNS, write: write('PATCH', { updated_at: 'x' }), becomes: {} },
    { title: 'an id of its own', rules: { setOnInsert: new Map([['name', 'uuid()']]) }, write: write('PUT'), becomes: { name: WORLD.uuid() } },
  ])('$title', async ({ becomes, ...given }) => {
    expect(await accepted(given)).toEqual(becomes);
  }); // prettier-ignore

  it('is what the other rules see', async () => {
    const byServer = { setOnInsert: new Map([['owner_id', 'auth.user_id()']]), insert: OWN };
    expect(await accepted({ rules: byServer, write: write('PUT', { owner_id: 'ben' }) })).toEqual({
      owner_id: 'ann',
    });
  });
});

describe('validate', () => {
  const rules = {
    validate: [
      {
        check: 'length(new.name) between 1 and 5',
        message: 'A name of up to 5 letters',
        code: 'NAME_LENGTH',
      },
      { check: 'new.likes >= ifnull(old.likes, 0)', message: 'Likes only grow', code: undefined },
    ],
  };
  it.each<Case & { readonly becomes: string }>([
    {
      title: 'an insert that passes',
      rules,
      write: write('PUT', { name: 'abc', likes: 1n }),
      becomes: '{"name":"abc","likes":1}',
    },
    {
      title: 'an insert that does not',
      rules,
      write: write('PUT', { name: 'abcdef', likes: 1n }),
      becomes: 'NAME_LENGTH',
    },
    { title: 'NULL', rules, write: write('PUT', { name: 'abc' }), becomes: 'UPLOAD_CHECK_FAILED' },
    {
      title: 'an update, with what is stored',
      rules,
      stored: { name: 'abc', likes: 7n },
      write: write('PATCH', { likes: 8n }),
      becomes: '{"likes":8}',
    },
    {
      title: 'an update that does not',
      rules,
      stored: { name: 'abc', likes: 7n },
      write: write('PATCH', { likes: 6n }),
      becomes: 'UPLOAD_CHECK_FAILED',
    },
    {
      title: 'a deletion',
      rules,
      stored: { name: 'abcdefg' },
      write: write('DELETE'),
      becomes: '{}',
    },
  ])('$title becomes $becomes', async ({ becomes, ...given }) => {
    expect(await refusal(given)).toBe(becomes);
  });

  it('answers with its message', async () => {
    const outcome = await attempt({ rules, write: write('PUT', { name: '', likes: 1n }) });
    expect(outcome).toEqual({ refused: 'NAME_LENGTH', message: 'A name of up to 5 letters' });
  });
});
