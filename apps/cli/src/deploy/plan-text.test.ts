import pc from 'picocolors';
import { expect, test } from 'vitest';
import type { DeployPlan, PlannedDefinition } from '@sluice/server';
import { planLines, planSummary } from './plan-text.ts';

const definition = (
  name: string,
  change: PlannedDefinition['change'],
  rest: Partial<PlannedDefinition> = {},
): PlannedDefinition => ({
  name,
  kind: 'stream',
  change,
  fills: change === 'added' || change === 'changed',
  clients: null,
  undecidedClients: 0,
  ...rest,
});

const PLAN: DeployPlan = {
  hash: 'h',
  kind: 'definitions',
  changedOptions: [],
  definitions: [
    definition('lists', 'kept', { clients: 12 }),
    definition('todos', 'changed', { clients: 12 }),
    definition('shared_notes', 'added', { clients: 1 }),
    definition('old', 'dropped', { clients: 3 }),
  ],
  tables: [
    { schema: 'public', name: 'notes', rows: 1 },
    { schema: 'public', name: 'todos', rows: 3600 },
  ],
  rows: 3601,
  seconds: 75,
  clients: 12,
  refusedClients: 0,
};

const shown = (change: Partial<DeployPlan> = {}): string =>
  `\n${planLines({ ...PLAN, ...change }, pc.createColors(false)).join('\n')}`;

test('a plan lists each definition, what it costs, and whom', () => {
  expect(shown()).toBe(`
  = lists         kept
  ~ todos         changed     12 clients download it again
  + shared_notes  added       1 client downloads it
  - old           dropped     3 clients lose it

  Reads about 3,601 rows of public.todos (3,600), public.notes (1), about 1 min 15 s
  Meanwhile clients are served as before
  12 clients connected now`);
  expect(planSummary(PLAN)).toBe('1 added, 1 changed, 1 dropped, 1 kept; about 3,601 rows to read');
});

test('what is not known is left out, or said to be unknown', () => {
  const definitions = [definition('lists', 'changed'), definition('tags', 'added')];
  const tables = [{ schema: 'app', name: 'lists', rows: null }];
  expect(shown({ definitions, tables, rows: null, seconds: null, clients: null })).toBe(`
  ~ lists  changed
  + tags   added

  Reads an unknown number of rows of app.lists
  Meanwhile clients are served as before`);
});

test('clients about whom rows decide are said to be at most so many, and the refused are named', () => {
  const definitions = [definition('lists', 'added', { clients: 9, undecidedClients: 2 })];
  expect(shown({ definitions, tables: [], rows: 0, seconds: null, refusedClients: 1 })).toBe(`
  + lists  added       up to 9 clients download it

  Reads no rows
  Meanwhile clients are served as before
  12 clients connected now
  1 of them is refused then: what they ask with does not fit`);
});

test('nothing to do is said in one line', () => {
  const nothing: Partial<DeployPlan> = {
    kind: 'nothing',
    definitions: [definition('lists', 'kept', { clients: 1 })],
    tables: [],
    rows: 0,
    clients: 1,
  };
  expect(shown(nothing)).toBe(`
  = lists  kept

  Nothing changes: what serves means the same
  1 client connected now`);
  expect(planSummary({ ...PLAN, ...nothing })).toBe('nothing changes');
});

test('changed options name why everything is read again', () => {
  const everything: Partial<DeployPlan> = {
    kind: 'everything',
    changedOptions: ['timestamps_iso8601'],
    definitions: [definition('lists', 'kept', { fills: true, clients: 2 })],
    tables: [{ schema: 'public', name: 'lists', rows: 1 }],
    rows: 1,
    seconds: null,
    clients: 2,
  };
  expect(shown(everything)).toBe(`
  ~ lists  read again  2 clients download it again

  Everything is replicated anew: timestamps_iso8601 changed, and the values of rows depend on it
  Reads about 1 row of public.lists
  Meanwhile clients are served as before
  2 clients connected now`);
});

test('going back to buckets that are still there reads nothing', () => {
  const definitions = [definition('lists', 'changed', { fills: false, clients: 2 })];
  expect(shown({ definitions, tables: [], rows: 0, seconds: null })).toBe(`
  ~ lists  changed     2 clients download it again, its buckets are there

  Nothing has to be read, so it serves at once
  12 clients connected now`);
});

test('a first config is no change', () => {
  const definitions = [definition('lists', 'added', { clients: 0 })];
  const tables = [{ schema: 'public', name: 'lists', rows: 0 }];
  const first: Partial<DeployPlan> = { kind: 'first', definitions, tables, rows: 0, seconds: 0 };
  expect(shown({ ...first, clients: 0 })).toBe(`
  + lists  added

  Nothing is served yet; this is the first sync config
  Reads no rows of public.lists
  0 clients connected now`);
});

test('a plan says so when others give out write checkpoints from then on', () => {
  const numbers = (change: PlannedDefinition['change']) =>
    shown({ definitions: [definition('write checkpoints', change, { kind: 'event' })] });
  expect(numbers('added')).toContain('Write checkpoints come from the database then');
  expect(numbers('dropped')).toContain('The service gives out write checkpoints again');
  expect(numbers('kept')).not.toContain('next upload');
});
