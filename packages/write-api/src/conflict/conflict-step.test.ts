import { describe, expect, it } from 'vitest';
import type { SqliteValue } from '@sluice/model';
import { tableSteps } from '../policy/table-rules.ts';
import {
  ANN,
  attempt,
  FREE,
  LISTS,
  NO_DATABASE,
  READING,
  refusal,
  rowOf,
  WORLD,
  write,
  type Attempt,
  type Outcome,
} from '../testing/attempt.ts';
import type { ConflictResolver } from './conflict-resolver.ts';
import { isSameValue } from './same-value.ts';

interface Case extends Omit<Attempt, 'rules'> {
  readonly title: string;
  readonly becomes: Outcome;
}

const MILK = { owner_id: 'ann', name: 'Milk', likes: 5n, version: 3n };

describe('last_write_wins', () => {
  const rules = {};
  it.each<Case>([
    {
      title: 'a column that changed meanwhile',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { name: 'old' }),
      becomes: { name: 'x' },
    },
    { title: 'a deletion', stored: MILK, write: write('DELETE', {}, { name: 'old' }), becomes: {} },
  ])('$title is written', async ({ becomes, ...given }) => {
    expect(await attempt({ ...given, rules })).toEqual(becomes);
  });
});

describe('field_merge', () => {
  const rules = { conflict: { kind: 'field_merge' } } as const;
  it.each<Case>([
    {
      title: 'writes what nobody changed',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { name: 'Milk' }),
      becomes: { name: 'x' },
    },
    {
      title: 'keeps what somebody changed, and says so',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { name: 'Beer' }),
      becomes: { conflicts: 'name' },
    },
    {
      title: 'goes column by column',
      stored: MILK,
      write: write('PATCH', { name: 'x', likes: 6n }, { name: 'Beer', likes: 5n }),
      becomes: { likes: 6n, conflicts: 'name' },
    },
    {
      title: 'sees no conflict where both changed to the same',
      stored: MILK,
      write: write('PATCH', { name: 'Milk', likes: 6n }, { name: 'Beer', likes: 5n }),
      becomes: { likes: 6n },
    },
    {
      title: 'compares numbers with their texts',
      stored: MILK,
      write: write('PATCH', { likes: 6n }, { likes: '5' }),
      becomes: { likes: 6n },
    },
    {
      title: 'compares with NULL',
      stored: { ...MILK, name: null },
      write: write('PATCH', { name: 'x' }, { name: 'Milk' }),
      becomes: { conflicts: 'name' },
    },
    {
      title: 'lets the last write win without a base',
      stored: MILK,
      write: write('PATCH', { name: 'x' }),
      becomes: { name: 'x' },
    },
    {
      title: 'lets the last write win for a column that is not tracked',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { likes: 4n }),
      becomes: { name: 'x' },
    },
    {
      title: 'lets deletions win',
      stored: MILK,
      write: write('DELETE', {}, { name: 'Beer' }),
      becomes: {},
    },
    {
      title: 'has nothing to do for a row that is gone',
      write: write('PATCH', { name: 'x' }, { name: 'Milk' }),
      becomes: 'nothing',
    },
    { title: 'inserts', write: write('PUT', { name: 'x' }), becomes: { name: 'x' } },
  ])('$title', async ({ becomes, ...given }) => {
    expect(await attempt({ ...given, rules, transaction: READING })).toEqual(becomes);
  });

  it('lets the other rules look at the row as it is merged', async () => {
    const validate = [{ check: "new.name != 'Milk' or new.likes < 6", message: 'm', code: 'NO' }];
    const given = {
      stored: MILK,
      write: write('PATCH', { name: 'x', likes: 6n }, { name: 'Beer', likes: 5n }),
    };
    expect(await refusal({ ...given, rules: { ...rules, validate } })).toBe('NO');
  });
});

describe('reject_stale', () => {
  const rules = { conflict: { kind: 'reject_stale', column: 'version' } } as const;
  it.each<Case>([
    {
      title: 'an update of the version that it saw',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { version: 3n }),
      becomes: { name: 'x', version: 4n },
    },
    {
      title: 'an update that sends the version',
      stored: MILK,
      write: write('PATCH', { name: 'x', version: 3n }),
      becomes: { name: 'x', version: 4n },
    },
    {
      title: 'an update that counts by itself',
      stored: MILK,
      write: write('PATCH', { name: 'x', version: 9n }, { version: 3n }),
      becomes: { name: 'x', version: 4n },
    },
    {
      title: 'a PUT over a row, with its version',
      stored: MILK,
      write: write('PUT', { name: 'x', version: 3n }),
      becomes: { name: 'x', version: 4n },
    },
    {
      title: 'an insert',
      write: write('PUT', { name: 'x', version: 77n }),
      becomes: { name: 'x', version: 1n },
    },
    {
      title: 'an update of nothing',
      stored: MILK,
      write: write('PATCH', {}, { version: 3n }),
      becomes: {},
    },
    {
      title: 'an update of a row without a version',
      stored: { ...MILK, version: null },
      write: write('PATCH', { name: 'x' }, { version: null }),
      becomes: { name: 'x', version: 1n },
    },
    {
      title: 'a deletion of the version that it saw',
      stored: MILK,
      write: write('DELETE', {}, { version: 3n }),
      becomes: {},
    },
    {
      title: 'an update of a row that is gone',
      write: write('PATCH', { name: 'x' }, { version: 3n }),
      becomes: 'nothing',
    },
    { title: 'a deletion of a row that is gone', write: write('DELETE'), becomes: 'nothing' },
  ])('$title is done', async ({ becomes, ...given }) => {
    expect(await attempt({ ...given, rules })).toEqual(becomes);
  });

  it.each<Omit<Case, 'becomes'> & { readonly code: string }>([
    {
      title: 'an update of an older version',
      stored: MILK,
      write: write('PATCH', { name: 'x' }, { version: 2n }),
      code: 'UPLOAD_STALE',
    },
    {
      title: 'a PUT over a row with an older version',
      stored: MILK,
      write: write('PUT', { name: 'x', version: 1n }),
      code: 'UPLOAD_STALE',
    },
    {
      title: 'a deletion of an older version',
      stored: MILK,
      write: write('DELETE', {}, { version: 2n }),
      code: 'UPLOAD_STALE',
    },
    {
      title: 'an update that does not say',
      stored: MILK,
      write: write('PATCH', { name: 'x' }),
      code: 'UPLOAD_BASE_MISSING',
    },
    {
      title: 'a deletion that does not say',
      stored: MILK,
      write: write('DELETE'),
      code: 'UPLOAD_BASE_MISSING',
    },
  ])('$title is refused', async ({ code, ...given }) => {
    expect(await refusal({ ...given, rules })).toBe(code);
  });

  it('gives the row as it is with the refusal, to those who may change it', async () => {
    const bundle = tableSteps(
      new Map([['lists', { ...FREE, ...rules, update: 'owner_id = auth.user_id()' }]]),
      new Map([['lists', LISTS]]),
      WORLD,
    ).tables.get('lists');
    const refuse = async (owner: string) => {
      const [admit, conflict] = bundle?.steps ?? [];
      const stored = rowOf({ ...MILK, owner_id: owner });
      const stale = write('PATCH', { name: 'x' }, { version: 2n });
      const admitted = await admit?.(stale, stored, ANN, NO_DATABASE);
      return admitted && conflict?.(admitted, stored, ANN, NO_DATABASE);
    };
    await expect(refuse('ann')).rejects.toMatchObject({ code: 'UPLOAD_STALE', row: rowOf(MILK) });
    expect(await refuse('ben').catch((error: unknown) => error)).toMatchObject({
      code: 'UPLOAD_FORBIDDEN',
      row: undefined,
    });
  });
});

describe('counters', () => {
  const rules = { conflict: { kind: 'counters', columns: ['likes', 'price'] } } as const;
  it.each<Case>([
    {
      title: 'adds what was added',
      stored: MILK,
      write: write('PATCH', { likes: 4n }, { likes: 3n }),
      becomes: { likes: 6n },
    },
    {
      title: 'takes away what was taken away',
      stored: MILK,
      write: write('PATCH', { likes: 0n }, { likes: 3n }),
      becomes: { likes: 2n },
    },
    {
      title: 'counts from nothing',
      stored: { ...MILK, likes: null },
      write: write('PATCH', { likes: 1n }, { likes: null }),
      becomes: { likes: 1n },
    },
    {
      title: 'keeps integers exact',
      stored: { ...MILK, likes: 9007199254740993n },
      write: write('PATCH', { likes: 2n }, { likes: 1n }),
      becomes: { likes: 9007199254740994n },
    },
    {
      title: 'takes numbers that are text',
      stored: MILK,
      write: write('PATCH', { likes: '4' }, { likes: '3' }),
      becomes: { likes: 6n },
    },
    {
      title: 'sets by PUT',
      stored: MILK,
      write: write('PUT', { likes: 1n }),
      becomes: { likes: 1n },
    },
    {
      title: 'sets NULL',
      stored: MILK,
      write: write('PATCH', { likes: null }, { likes: 3n }),
      becomes: { likes: null },
    },
    {
      title: 'leaves other columns',
      stored: MILK,
      write: write('PATCH', { name: 'x' }),
      becomes: { name: 'x' },
    },
    {
      title: 'has nothing to do for a row that is gone',
      write: write('PATCH', { likes: 4n }, { likes: 3n }),
      becomes: 'nothing',
    },
  ])('$title', async ({ becomes, ...given }) => {
    const counted = {
      ...given,
      rules: { conflict: { kind: 'counters', columns: ['likes'] } } as const,
    };
    expect(await attempt({ ...counted, transaction: READING })).toEqual(becomes);
  });

  it('refuses what does not say what it saw', async () => {
    expect(await refusal({ rules, stored: MILK, write: write('PATCH', { likes: 4n }) })).toBe(
      'UPLOAD_BASE_MISSING',
    );
  });

  it('lets the other rules look at the sum', async () => {
    const validate = [{ check: 'new.likes <= 5', message: 'm', code: 'TOO_MANY' }];
    const given = { stored: MILK, write: write('PATCH', { likes: 2n }, { likes: 1n }) };
    expect(await refusal({ ...given, rules: { ...rules, validate } })).toBe('TOO_MANY');
  });
});

describe('function', () => {
  const run = async (resolver: ConflictResolver, stored: typeof MILK | undefined) => {
    const rules = new Map([
      [
        'lists',
        { ...FREE, required: ['name'], conflict: { kind: 'function', name: 'merge' } as const },
      ],
    ]);
    const options = {
      ...WORLD,
      resolverOf: (name: string) => (name === 'merge' ? resolver : undefined),
    };
    const bundle = tableSteps(rules, new Map([['lists', LISTS]]), options).tables.get('lists');
    let current: Awaited<ReturnType<ConflictResolver['resolve']>> = write('PATCH', { name: 'x' });
    for (const step of bundle?.steps ?? []) {
      if (typeof current !== 'object') return undefined;
      current = await step(current, stored && rowOf(stored), ANN, NO_DATABASE);
    }
    return current;
  };

  it('gives the write that goes on', async () => {
    const resolver: ConflictResolver = {
      resolve: ({ write: given, stored }) => ({
        ...given,
        values: rowOf({ name: `${String(stored.get('name'))}+x` }),
      }),
    };
    expect(await run(resolver, MILK)).toMatchObject({ values: rowOf({ name: 'Milk+x' }) });
  });

  it('may refuse', async () => {
    await expect(run({ resolve: () => 'reject' }, MILK)).rejects.toMatchObject({
      code: 'UPLOAD_STALE',
    });
  });

  it('may leave the row as it is', async () => {
    expect(await run({ resolve: () => undefined }, MILK)).toBeUndefined();
  });

  it('is bound to the rules of the table', async () => {
    const resolver: ConflictResolver = {
      resolve: ({ write: given }) => ({ ...given, values: rowOf({ name: null }) }),
    };
    await expect(run(resolver, MILK)).rejects.toMatchObject({ code: 'UPLOAD_REQUIRED' });
  });
});

describe('values that are the same', () => {
  it.each<[SqliteValue, SqliteValue, boolean]>([
    [null, null, true], [null, 0n, false], [null, '', false], [5n, 5n, true], [5n, '5', true],
    [5n, 5, true], [5n, '5.0', true], ['5', '5.0', false], ['a', 'a', true], ['a', 'A', false],
    [0.1 + 0.2, 0.3, true], [0.30000000000000016, 0.3, false], [1e300, '1e300', true],
    [9007199254740993n, '9007199254740993', true], [9007199254740993n, '9007199254740992', false],
    [new Uint8Array([1]), new Uint8Array([1]), true], [new Uint8Array([1]), '1', false], [1n, 'x', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(isSameValue(a, b)).toBe(expected);
    expect(isSameValue(b, a)).toBe(expected);
  }); // prettier-ignore
});
