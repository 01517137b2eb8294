import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TableSchema } from '@sluice/model';
import { checkWriteApiRules } from './check-write-api.ts';

const page = readFileSync(new URL('../../../../docs/backend.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n(write_api:\n.*?)```/gs)]
  .map(([, yaml = '']) => yaml)
  .filter((yaml) => yaml.includes('  tables:'));

const SCHEMA: readonly TableSchema[] = [
  table('lists', 'id owner_id name is_public created_by updated_at'),
  table('settings', 'id value'),
  table('notes', 'id text'),
  table('orders', 'id status'),
  table('items', 'id list_id label'),
  table('documents', 'id version'),
  table('posts', 'id likes views'),
];

function table(name: string, columns: string): TableSchema {
  const names = columns.split(' ');
  return {
    schema: 'public',
    name,
    columns: names.map((column) => ({
      name: column,
      sqliteType: 'text' as const,
      sourceType: 'text',
    })),
  };
}

describe('the examples of docs/backend.md', () => {
  it('are there', () => expect(examples.length).toBeGreaterThanOrEqual(4));

  it.each(examples)('compile: %s', (yaml) => {
    const checked = checkWriteApiRules(yaml, SCHEMA);
    expect(checked?.problems).toEqual([]);
    expect(checked?.tableCount).toBeGreaterThan(0);
  });

  it('are checked: a column that is not there is found, with its place', () => {
    const [first = ''] = examples;
    const yaml = first.replace('length(new.name)', 'length(new.nme)');
    const [problem] = checkWriteApiRules(yaml, SCHEMA)?.problems ?? [];
    expect(yaml.slice(problem?.start, problem?.end)).toBe('nme');
    expect(problem?.fix).toBe('Did you mean name?');
  });

  it.each([
    ['required: [name]', 'required: [nam]', 'nam'],
    ['created_by: auth', 'creatd_by: auth', 'auth.user_id()'],
    ['    notes:', '    note:', 'note'],
    ['auth.user_id() }', 'auth.usr_id() }', 'auth.usr_id'],
  ])('%s as %s is placed', (good, bad, place) => {
    const yaml = (examples[0] ?? '').replace(good, bad);
    const problems = checkWriteApiRules(yaml, SCHEMA)?.problems ?? [];
    expect(problems.map(({ start, end }) => yaml.slice(start, end))).toEqual([place]);
  });
});
