import { describe, expect, it } from 'vitest';
import { FREE, LISTS, WORLD } from '../testing/attempt.ts';
import { formatProblem } from './policy-problem.ts';
import { tableSteps } from './table-rules.ts';
import type { TableRules } from '../config/write-api-config.ts';

const SCHEMA = new Map([['lists', LISTS]]);

function problems(rules: Partial<TableRules>, name = 'lists'): readonly string[] {
  const compiled = tableSteps(new Map([[name, { ...FREE, ...rules }]]), SCHEMA, WORLD);
  expect(compiled.tables.has(name)).toBe(false);
  return compiled.problems.map(
    (problem) => `${problem.path.join('.')} ${formatProblem(problem, 'sluice.yaml')}`,
  );
}

describe('rules that do not fit the schema', () => {
  it.each<[rules: Partial<TableRules>, place: string, parts: readonly string[]]>([
    [{ insert: 'new.ownr_id = 1' }, 'tables.lists.insert', ['There is no column ownr_id in lists', 'Did you mean owner_id?']],
    [{ insert: 'old.name = 1' }, 'tables.lists.insert', ['An insert has no old row']],
    [{ delete: 'new.name = 1' }, 'tables.lists.delete', ['A deletion leaves no new row']],
    [{ read: 'new.name = 1' }, 'tables.lists.read', ['Write the column alone']],
    [{ update: 'true', updateCheck: 'nme = 1' }, 'tables.lists.update.check', ['Did you mean name?']],
    [{ updateColumns: ['nme'] }, 'tables.lists.columns.update.0', ['columns names the column nme', 'Did you mean name?']],
    [{ required: ['name', 'zzzzz'] }, 'tables.lists.required.1', ['Known: id, owner_id']],
    [{ immutable: ['owner'] }, 'tables.lists.immutable.0', ['immutable names the column owner']],
    [{ setOnInsert: new Map([['nme', "'x'"]]) }, 'tables.lists.set.always.nme', ['set names the column nme']],
    [{ setOnInsert: new Map([['name', 'uper(name)']]) }, 'tables.lists.set.always.name', ['Did you mean upper?']],
    [{ setOnInsert: new Map([['name', 'old.name']]) }, 'tables.lists.set.always.name', ['An insert has no old row']],
    [{ validate: [{ check: 'name =', message: 'm', code: undefined }] }, 'tables.lists.validate.0.check', ['SQL_SYNTAX']],
    [{ conflict: { kind: 'reject_stale', column: 'versio' } }, 'tables.lists.conflict.reject_stale', ['Did you mean version?']],
    [{ conflict: { kind: 'counters', columns: ['likes', 'name'] } }, 'tables.lists.conflict.counters.1', ['does not have as a number']],
    [{ update: 'auth.user_id = owner_id' }, 'tables.lists.update', ['auth.user_id is a function']],
  ])('%o: %s', (rules, place, parts) => {
    const [first = ''] = problems(rules);
    expect(first.startsWith(`${place} `)).toBe(true);
    for (const part of parts) expect(first).toContain(part);
  }); // prettier-ignore

  it('are all reported at once', () => {
    expect(problems({ insert: 'a', update: 'b = 1', required: ['c'] })).toHaveLength(3);
  });

  it('name a table that does not exist', () => {
    expect(problems({}, 'list')[0]).toContain('There is no table list to write to\n');
    expect(problems({}, 'list')[0]).toContain('Did you mean lists?');
  });

  it('are checked for their language where the schema is not known', () => {
    const rules = { insert: 'anything = 1', update: 'uper(x)' };
    const compiled = tableSteps(new Map([['lists', { ...FREE, ...rules }]]), undefined, WORLD);
    expect(compiled.problems.map(({ message }) => message)).toEqual(['There is no function uper']);
  });

  it('name a function that is not there', () => {
    const rules = { ...FREE, conflict: { kind: 'function', name: 'merge' } as const };
    const options = { ...WORLD, resolverOf: () => undefined };
    const compiled = tableSteps(new Map([['lists', rules]]), SCHEMA, options);
    expect(compiled.problems.map(({ message }) => message)).toEqual(['There is no function merge']);
  });
});
