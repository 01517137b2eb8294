import { describe, expect, it } from 'vitest';
import { bucketsOf, planOf } from '../testing/check.ts';
import { compareDefinitions } from './compare-definitions.ts';

const HEAD = 'config: { edition: 3 }\nstreams:\n';
const LISTS = '  lists: { query: SELECT * FROM lists WHERE owner = auth.user_id() }\n';
const TAGS = '  tags: { query: SELECT * FROM tags }\n';

const hashesOf = (yaml: string) =>
  Object.fromEntries(planOf(yaml).definitions.map(({ name, hash }) => [name, hash]));

describe('the hash of a definition', () => {
  const before = hashesOf(HEAD + LISTS + TAGS)['lists'];

  it.each([
    ['another definition', HEAD + LISTS],
    ['comments and layout', `${HEAD}  lists:\n    query: |\n      SELECT  *\n      FROM lists -- all\n      WHERE owner = auth.user_id()\n`],
    ['priority and auto_subscribe', HEAD + LISTS.replace('{ ', '{ priority: 1, auto_subscribe: true, ')],
  ])('does not show %s', (_what, yaml) => {
    expect(hashesOf(yaml)['lists']).toBe(before);
  }); // prettier-ignore

  it.each([
    ['its filter', HEAD + LISTS.replace('owner =', 'editor =')],
    ['its columns', HEAD + LISTS.replace('*', 'id')],
    ['its name', HEAD + LISTS.replace('lists:', 'my_lists:')],
    ['options that change values', `config: { edition: 3, timestamps_iso8601: false }\nstreams:\n${LISTS}`],
  ])('shows %s', (_what, yaml) => {
    expect(Object.values(hashesOf(yaml))[0]).not.toBe(before);
  }); // prettier-ignore
});

describe('the hash of a plan', () => {
  it('shows priority and auto_subscribe, which decide when clients get a bucket', () => {
    const plain = planOf(HEAD + LISTS).hash;
    expect(planOf(HEAD + LISTS.replace('{ ', '{ priority: 1, ')).hash).not.toBe(plain);
    expect(planOf(HEAD + LISTS.replace('{ ', '{ auto_subscribe: true, ')).hash).not.toBe(plain);
    expect(planOf(`# a comment\n${HEAD}${LISTS}`).hash).toBe(plain);
  });

  it('does not show the order of definitions', () => {
    expect(planOf(HEAD + LISTS + TAGS).hash).toBe(planOf(HEAD + TAGS + LISTS).hash);
  });
});

describe('compareDefinitions', () => {
  it('says what is kept, added, changed and dropped', () => {
    const before = planOf(`${HEAD}${LISTS}${TAGS}  old: { query: SELECT * FROM old }\n`);
    const after = planOf(`${HEAD}${LISTS.replace('*', 'id')}${TAGS}  new: { query: SELECT * FROM new }\n`); // prettier-ignore
    const changes = compareDefinitions(before.definitions, after.definitions);
    const names = Object.entries(changes).map(([kind, list]) => [
      kind,
      (list as typeof before.definitions).map(({ name }) => name),
    ]);
    expect(Object.fromEntries(names)).toEqual({
      kept: ['tags'],
      added: ['new'],
      changed: ['lists'],
      dropped: ['old'],
    });
  });
});

describe('rowEvaluator', () => {
  it('leaves out definitions without a prefix', () => {
    const plan = planOf(
      `${HEAD}  a: { query: SELECT * FROM t }\n  b: { query: SELECT id FROM t }\n`,
    );
    const [a] = plan.definitions;
    const table = { schema: 'public', name: 't', columns: [] };
    const evaluated = plan.rowEvaluator(table, new Map([[a?.hash ?? '', '1f.3#']]))?.evaluate([]);
    expect(evaluated?.outputs.flatMap(({ buckets }) => buckets)).toEqual(['1f.3#a|0[]']);
    expect(bucketsOf(plan, 't', { id: 'x' })).toEqual(['7#a|0[]', '7#b|0[]']);
  });
});
