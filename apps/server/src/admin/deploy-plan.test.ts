import { describe, expect, it } from 'vitest';
import { must } from '@sluice/base';
import type { TableFacts } from '@sluice/source';
import type { ConcernedSessions } from '@sluice/sync';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';
import { planDeploy, type DeployPlanInput } from './deploy-plan.ts';

const EDITION = 'config:\n  edition: 3\n';

function planOf(yaml: string): SyncPlan {
  const { plan, diagnostics } = compileSyncConfig(yaml, { defaultSchema: 'public' });
  return must(plan, `a plan; ${JSON.stringify(diagnostics)}`);
}

const streams = (parts: Readonly<Record<string, string>>, head = EDITION): string =>
  `${head}streams:\n${Object.entries(parts)
    .map(([name, query]) => `  ${name}:\n    query: ${query}\n    auto_subscribe: true\n`)
    .join('')}`;

const LISTS = 'SELECT * FROM lists WHERE owner = auth.user_id()';
const TODOS = 'SELECT * FROM todos';
const SERVING = planOf(streams({ lists: LISTS, todos: TODOS }));

function facts(name: string, estimatedRows: number | undefined): TableFacts {
  return { schema: 'public', name, identityColumns: ['id'], estimatedRows, problems: [] };
}
const TABLES = [facts('lists', 100), facts('todos', 3600), facts('notes', undefined)];

function plan(yaml: string, change: Partial<DeployPlanInput> = {}) {
  return planDeploy({
    wanted: planOf(yaml),
    serving: SERVING,
    alsoFilled: new Set(),
    tables: TABLES,
    concerned: undefined,
    rowsPerSecond: undefined,
    ...change,
  });
}
const shown = (result: ReturnType<typeof plan>) =>
  result.definitions.map(({ name, change, fills }) => [name, change, fills]);

describe('the plan of a deploy', () => {
  it('of what serves changes nothing, whatever the layout and the comments', () => {
    const result = plan(`# the same\n${streams({ todos: TODOS, lists: LISTS })}`);
    expect(result).toMatchObject({ kind: 'nothing', tables: [], rows: 0, hash: SERVING.hash });
    expect(shown(result)).toEqual([
      ['todos', 'kept', false],
      ['lists', 'kept', false],
    ]);
  });

  it('tells kept, changed, added and dropped definitions apart, and reads only what is filled', () => {
    const result = plan(streams({ lists: `${LISTS} AND shown`, tags: 'SELECT * FROM lists' }));
    expect(result.kind).toBe('definitions');
    expect(shown(result)).toEqual([
      ['lists', 'changed', true],
      ['tags', 'added', true],
      ['todos', 'dropped', false],
    ]);
    expect(result.tables).toEqual([{ schema: 'public', name: 'lists', rows: 100 }]);
    expect(result.rows).toBe(100);
  });

  it('counts the clients of a sample for all, those whom lookups decide about among them', () => {
    const yaml = streams({ lists: LISTS, tags: 'SELECT * FROM lists' });
    const use = (of: SyncPlan, change: Partial<ConcernedSessions['definitions'][number]>[]) => ({
      sessions: 30,
      asked: 10,
      refused: 2,
      definitions: of.definitions.map(({ name, hash }, i) => {
        return { name, hash, takePart: 9, withBuckets: 0, undecided: 0, ...change[i] };
      }),
    });
    const result = plan(yaml, {
      concerned: {
        wanted: use(planOf(yaml), [{ withBuckets: 5 }, { withBuckets: 1, undecided: 3 }]),
        serving: use(SERVING, [{}, { withBuckets: 7 }]),
      },
    });
    expect(result).toMatchObject({ clients: 30, refusedClients: 6 });
    expect(
      result.definitions.map(({ name, change, clients, undecidedClients }) => {
        return [name, change, clients, undecidedClients];
      }),
    ).toEqual([
      ['lists', 'kept', 15, 0],
      ['tags', 'added', 12, 9],
      ['todos', 'dropped', 21, 0],
    ]);
  });

  it('reads nothing for a definition whose buckets are still there', () => {
    const yaml = streams({ lists: LISTS, todos: `${TODOS} WHERE done` });
    const hash = must(planOf(yaml).definitions[1], 'todos').hash;
    const result = plan(yaml, { alsoFilled: new Set([hash]) });
    expect(shown(result).at(-1)).toEqual(['todos', 'changed', false]);
    expect(result.tables).toEqual([]);
  });

  it.each([
    ['timestamps_iso8601', '  timestamps_iso8601: false\n'],
    ['custom_postgres_types', '  custom_postgres_types: false\n'],
    ['timestamp_max_precision', '  timestamp_max_precision: seconds\n'],
  ])('reads everything when %s changes', (option, line) => {
    const result = plan(streams({ lists: LISTS, todos: TODOS }, EDITION + line));
    expect(result).toMatchObject({ kind: 'everything', changedOptions: [option], rows: 3700 });
    expect(result.definitions.every(({ fills }) => fills)).toBe(true);
  });

  it('without anything that serves fills all', () => {
    const result = plan(streams({ lists: LISTS }), { serving: undefined });
    expect(result.kind).toBe('first');
    expect(shown(result)).toEqual([['lists', 'added', true]]);
  });

  it('says how long it takes only where a rate was measured', () => {
    const wanted = streams({ todos: `${TODOS} WHERE done`, lists: LISTS });
    expect(plan(wanted).seconds).toBeNull();
    expect(plan(wanted, { rowsPerSecond: 1000 })).toMatchObject({ rows: 3600, seconds: 4 });
  });

  it('says that it does not know where the source or the service does not tell', () => {
    const wanted = streams({ notes: 'SELECT * FROM notes', lists: LISTS });
    const unknown = plan(wanted, { rowsPerSecond: 1000 });
    expect(unknown).toMatchObject({ rows: null, seconds: null });
    expect(unknown.tables).toEqual([{ schema: 'public', name: 'notes', rows: null }]);
    const away = plan(wanted, { tables: undefined });
    expect(away).toMatchObject({ rows: null, clients: null, refusedClients: null, tables: [] });
    expect(away.definitions.every(({ clients }) => clients === null)).toBe(true);
  });

  it('reads the tables of write checkpoints that are new, and keeps those that are not', () => {
    const event = `event_definitions:\n  write_checkpoints:\n    payloads: ['SELECT user_id, client_id, checkpoint FROM notes']\n`;
    const wanted = `${streams({ lists: LISTS, todos: TODOS })}${event}`;
    const added = plan(wanted);
    expect(shown(added).at(-1)).toEqual(['write checkpoints', 'added', true]);
    expect(added.definitions.at(-1)?.kind).toBe('event');
    expect(added.tables).toEqual([{ schema: 'public', name: 'notes', rows: null }]);
    const kept = plan(`${wanted}# the same`, { serving: planOf(wanted) });
    expect(kept).toMatchObject({ kind: 'nothing', tables: [] });
    const dropped = plan(streams({ lists: LISTS, todos: TODOS }), { serving: planOf(wanted) });
    expect(shown(dropped).at(-1)).toEqual(['write checkpoints', 'dropped', false]);
  });
});
