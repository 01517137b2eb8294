import { describe, expect, it } from 'vitest';
import { bucketNames, bucketsOf, evaluate, planOf, stream, visibleRows } from '../testing/check.ts';

// spec/sync-config.md 21.

describe('example A, bucket definitions', () => {
  const plan = planOf(`
bucket_definitions:
  org_docs:
    priority: 1
    parameters:
      - SELECT org_id, request.user_id() AS uid FROM members WHERE user_id = request.user_id() AND active
    data:
      - SELECT id, title FROM docs WHERE org = bucket.org_id AND bucket.uid IN docs.readers
      - SELECT * FROM orgs AS organisations WHERE id = bucket.org_id AND admin_id = bucket.uid
`);

  it('indexes active members only', () => {
    const member = { id: 'm1', user_id: 'u1', org_id: 7n };
    expect(evaluate(plan, 'members', { ...member, active: 1n }).lookups).toEqual([
      { key: '7#org_docs/1["u1"]', values: '[7]' },
    ]);
    expect(evaluate(plan, 'members', { ...member, active: 0n }).lookups).toEqual([]);
  });

  it('places a document in the bucket of each reader', () => {
    const doc = { id: 'd1', org: 7n, title: 'T', readers: '["u1","u2"]' };
    expect(evaluate(plan, 'docs', doc).outputs).toEqual([
      {
        objectType: 'docs',
        objectId: 'd1',
        data: '{"id":"d1","title":"T"}',
        buckets: ['7#org_docs[7,"u1"]', '7#org_docs[7,"u2"]'],
      },
    ]);
  });

  it('hides underscored columns behind * and renames the table by its alias', () => {
    expect(evaluate(plan, 'orgs', { id: 7n, admin_id: 'u1', _x: 1n }).outputs).toEqual([
      {
        objectType: 'organisations',
        objectId: '7',
        data: '{"id":7,"admin_id":"u1"}',
        buckets: ['7#org_docs[7,"u1"]'],
      },
    ]);
  });

  it('resolves a request to the buckets of its organisations', async () => {
    const rows = { members: [{ id: 'm1', user_id: 'u1', org_id: 7n, active: 1n }] };
    expect(await bucketNames(plan, { rows })).toEqual(['7#org_docs[7,"u1"]']);
    expect(await bucketNames(plan, { rows, claims: { sub: 'u2' } })).toEqual([]);
  });
});

describe('example B, compiled streams', () => {
  const plan = planOf(`
config: { edition: 3 }
with:
  my_orgs: SELECT org_id FROM members WHERE user_id = auth.user_id()
streams:
  tasks:
    auto_subscribe: true
    queries:
      - SELECT * FROM tasks WHERE org_id IN my_orgs AND (NOT private OR owner = auth.user_id())
      - SELECT id, label FROM tags WHERE org_id IN my_orgs
`);

  it('shares a bucket family between queries that are resolved alike', () => {
    const tag = bucketsOf(plan, 'tags', { id: 't', org_id: 7n, label: 'x' });
    const task = { id: 1n, org_id: 7n, private: 0n, owner: 'u1' };
    expect(tag).toHaveLength(1);
    expect(bucketsOf(plan, 'tasks', task)).toHaveLength(2);
    expect(bucketsOf(plan, 'tasks', task)).toContain(tag[0]);
  });

  it('counts NULL as not private', async () => {
    const rows = {
      members: [{ user_id: 'u1', org_id: 7n }],
      tasks: [
        { id: 1n, org_id: 7n, private: null, owner: 'u2' },
        { id: 2n, org_id: 7n, private: 1n, owner: 'u2' },
        { id: 3n, org_id: 7n, private: 1n, owner: 'u1' },
        { id: 4n, org_id: 8n, private: 0n, owner: 'u1' },
      ],
    };
    expect(await visibleRows(plan, { rows })).toEqual(['tasks/1', 'tasks/3']);
  });
});

describe('example C, a claim array with pairs', () => {
  it('keeps the members of an element together', async () => {
    const plan = planOf(
      stream(`SELECT docs.* FROM docs, json_each(auth.parameter('grants')) AS g
      WHERE docs.org = g.value ->> 'org' AND docs.area = g.value ->> 'area'`),
    );
    const grants = [
      { org: 'a', area: 'n' },
      { org: 'b', area: 's' },
    ];
    const docs = ['a', 'b'].flatMap((org) =>
      ['n', 's'].map((area) => ({ id: org + area, org, area })),
    );
    const visible = await visibleRows(plan, { claims: { sub: 'u', grants }, rows: { docs } });
    expect(visible).toEqual(['docs/an', 'docs/bs']);
  });
});
