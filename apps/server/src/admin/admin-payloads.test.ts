import { describe, expect, it } from 'vitest';
import { must } from '@sluice/base';
import type { LogRetention, TableFacts } from '@sluice/source';
import { compileSyncConfig } from '@sluice/sync-config';
import type { Generation, StoredConfig } from '@sluice/storage';
import { replicationErrors, rulesInfo } from './compile-config.ts';
import { ageErrors, retentionErrors } from './config-warnings.ts';
import { deployedConfigs } from './deployed-configs.ts';
import { tableInfos } from './table-infos.ts';
import { ReadingRate } from '../reading-rate.ts';

const CONFIG = `
bucket_definitions:
  mine:
    parameters: SELECT id AS list FROM lists WHERE owner = request.user_id()
    data:
      - SELECT * FROM todos WHERE list = bucket.list
      - SELECT * FROM "log_%" WHERE list = bucket.list
`;
const compile = (text: string) => compileSyncConfig(text, { defaultSchema: 'public' });

function facts(name: string, change: Partial<TableFacts> = {}): TableFacts {
  return {
    schema: 'public',
    name,
    identityColumns: ['id'],
    estimatedRows: 1,
    problems: [],
    ...change,
  };
}

describe('TableInfos', () => {
  const plan = must(compile(CONFIG).plan, 'a plan');

  it('say which tables fill buckets and which are looked up in, one for each match of a wildcard', () => {
    const problem = {
      name: 'tables_published',
      status: 'problem',
      message: 'Not in publication',
      remedy: [],
    } as const;
    const infos = tableInfos(plan, [
      facts('lists'),
      facts('log_a', { identityColumns: [], problems: [problem] }),
      facts('log_b', { identityColumns: ['a', 'b'] }),
      facts('other'),
    ]);
    const table = (name: string, rest: object) => ({
      schema: 'public',
      name,
      replication_id: ['id'],
      data_queries: true,
      parameter_queries: false,
      errors: [],
      ...rest,
    });
    expect(infos.toSorted((a, b) => String(a['name']).localeCompare(String(b['name'])))).toEqual([
      table('lists', { data_queries: false, parameter_queries: true }),
      table('log_a', {
        pattern: 'log_%',
        replication_id: [],
        errors: [{ level: 'fatal', message: 'Not in publication' }],
      }),
      table('log_b', { pattern: 'log_%', replication_id: ['a', 'b'] }),
      table('todos', {
        replication_id: [],
        errors: [{ level: 'warning', message: 'No table matches public.todos' }],
      }),
    ]);
  });

  it('blame no table while the source cannot be asked', () => {
    const infos = tableInfos(plan, undefined);
    expect(infos).toHaveLength(3);
    expect(infos.every(({ errors }) => Array.isArray(errors) && errors.length === 0)).toBe(true);
  });
});

describe('RulesInfo', () => {
  it('lists definitions and tables', () => {
    expect(rulesInfo(compile(CONFIG))).toMatchObject({
      valid: true,
      bucket_definitions: [
        { name: 'mine', kind: 'bucket_definition', priority: 3, is_default: true },
      ],
      source_tables: expect.arrayContaining([{ schema: 'public', table: 'lists' }]) as unknown,
      data_tables: [
        { schema: 'public', table: 'todos' },
        { schema: 'public', table: 'log_%' },
      ],
    });
  });
  it('has the errors instead when there are any', () => {
    const compiled = compile('config: { edition: 3 }\nstreams: 1');
    const info = rulesInfo(compiled);
    expect(info['valid']).toBe(false);
    expect(info['errors']).toEqual([expect.stringMatching(/^YAML_SCHEMA: /)]);
    expect(replicationErrors(compiled)[0]).toMatchObject({
      level: 'fatal',
      location: { start_offset: 32, end_offset: 33 },
    });
  });
});

describe('warnings of an active config', () => {
  const MINUTE = 60_000;
  it.each([
    [5 * MINUTE, []],
    [5 * MINUTE + 1, ['warning']],
    [15 * MINUTE, ['warning']],
    [15 * MINUTE + 1, ['fatal']],
  ])('without progress for %i ms: %j', (ageMs, levels) => {
    const errors = ageErrors(1000, 1000 + ageMs);
    expect(errors.map(({ level }) => level)).toEqual(levels);
  });

  const retention = (change: Partial<LogRetention>): LogRetention => ({
    status: 'reserved',
    remainingBytes: undefined,
    limitBytes: undefined,
    ...change,
  });
  it.each<[LogRetention | undefined, string[]]>([
    [undefined, []],
    [retention({}), []],
    [retention({ remainingBytes: 51, limitBytes: 100 }), []],
    [retention({ remainingBytes: 50, limitBytes: 100 }), ['warning']],
    [retention({ remainingBytes: 16, limitBytes: 100 }), ['warning']],
    [retention({ remainingBytes: 15, limitBytes: 100 }), ['fatal']],
    [retention({ status: 'unreserved', remainingBytes: -5, limitBytes: 100 }), ['fatal']],
    [retention({ status: 'lost' }), ['fatal']],
  ])('with the change log kept as %j: %j', (kept, levels) => {
    expect(retentionErrors(kept).map(({ level }) => level)).toEqual(levels);
  });
});

describe('the deployed configs', () => {
  const config = (hash: string): StoredConfig => ({
    text: hash,
    hash,
    prefixes: {},
    deployedAtMs: 1,
  });
  const generation = (
    id: number,
    state: Generation['state'],
    configs: Record<string, string>,
  ): Generation => ({
    id,
    state,
    sourceHandle: undefined,
    createdAtMs: id,
    configs: Object.fromEntries(
      Object.entries(configs).map(([name, hash]) => [name, config(hash)]),
    ) as unknown as Generation['configs'],
  });
  it.each<[string, Generation[], (string | undefined)[]]>([
    ['none at first', [], [undefined, undefined, undefined]],
    [
      'a first one is deploying',
      [generation(1, 'preparing', { serving: 'a' })],
      [undefined, 'a', undefined],
    ],
    [
      'the next one of the same generation',
      [generation(1, 'active', { serving: 'b', next: 'c', previous: 'a' })],
      ['b', 'c', 'a'],
    ],
    [
      'a new generation beside the active one',
      [
        generation(1, 'retired', { serving: 'z' }),
        generation(2, 'active', { serving: 'a' }),
        generation(3, 'preparing', { serving: 'b' }),
      ],
      ['a', 'b', undefined],
    ],
  ])('%s', (_what, generations, hashes) => {
    const { active, deploying, previous } = deployedConfigs(generations);
    expect([active, deploying, previous].map((found) => found?.config.hash)).toEqual(hashes);
  });
});

it('measures how fast tables are read, and keeps that when nothing is read', () => {
  const rate = new ReadingRate();
  rate.add(0, 0, true);
  rate.add(100, 50, true);
  expect(rate.rowsPerSecond).toBeUndefined();
  rate.add(2000, 4000, true);
  expect(rate.rowsPerSecond).toBe(2000);
  rate.add(9000, 4100, false);
  expect(rate.rowsPerSecond).toBe(2000);
  rate.add(10_000, 5000, true);
  rate.add(11_000, 6000, true);
  expect(rate.rowsPerSecond).toBe(1000);
});
