import type { JsonObject } from '@sluice/base';
import { describe, expect, it } from 'vitest';
import { definition, planOf, prefixesOf, stream, type Row } from '../testing/check.ts';
import { lookupIn, schemaOf, type Rows } from '../testing/explain-check.ts';
import { explainVisibility } from './explain-visibility.ts';
import type { RowReason, VisibilityReason } from './explanation.ts';

function explainRow(yaml: string, row: Row, table = 't') {
  const plan = planOf(yaml);
  return plan.explainRow(schemaOf(table, row), Object.values(row), prefixesOf(plan));
}

interface Asking {
  readonly claims?: JsonObject;
  readonly includeDefaults?: boolean;
  readonly subscription?: JsonObject;
  readonly rows?: Rows;
}

async function explainRequest(yaml: string, asking: Asking) {
  const plan = planOf(yaml);
  const { subscription } = asking;
  const request = {
    claims: { sub: 'u1', ...asking.claims },
    parameters: {},
    includeDefaults: asking.includeDefaults ?? true,
    subscriptions: subscription
      ? [{ stream: 's', parameters: subscription, overridePriority: null }]
      : [],
  };
  const lookup = lookupIn(plan, asking.rows ?? {});
  return plan.explainRequest(request, prefixesOf(plan), { lookup, maxResults: 100 });
}

async function whyNotVisible(
  yaml: string,
  row: Row,
  asking: Asking,
): Promise<readonly VisibilityReason[]> {
  const request = await explainRequest(yaml, asking);
  const visibility = explainVisibility(explainRow(yaml, row), request);
  return visibility.buckets.flatMap(({ whyNot }) => whyNot);
}

describe('why a row is in no bucket', () => {
  const filter = (sql: string, reads: Record<string, string>): Partial<RowReason> => ({
    kind: 'filter',
    condition: {
      sql,
      reads: Object.entries(reads).map(([name, value]) => ({ sql: name, value })),
    },
  });

  it.each<[string, string, Row, Partial<RowReason>[]]>([
    [
      'every condition that is not true, with what it reads',
      `SELECT * FROM t WHERE a = 1 AND b = 'x' AND c > 0`,
      { id: 'r', a: 2n, b: null, c: 5n },
      [filter('a = 1', { a: '2' }), filter(`b = 'x'`, { b: 'NULL' })],
    ],
    [
      'each alternative of OR that becomes a kind of bucket',
      `SELECT * FROM t WHERE (owner = auth.user_id() AND a = 1) OR (b = auth.parameter('b') AND a = 2)`,
      { id: 'r', owner: 'u1', a: 3n, b: 'x' },
      [filter('a = 1', { a: '3' }), filter('a = 2', { a: '3' })],
    ],
    [
      'a key that is NULL',
      `SELECT * FROM t WHERE lower(owner) = auth.user_id()`,
      { id: 'r', owner: null },
      [{ kind: 'key', key: { sql: 'lower(owner)', value: 'NULL' } }],
    ],
    [
      'a key that is a BLOB',
      `SELECT * FROM t WHERE owner = auth.user_id()`,
      { id: 'r', owner: new Uint8Array([1, 255]) },
      [{ kind: 'key', key: { sql: 'owner', value: `x'01ff'` } }],
    ],
    [
      'an array without elements',
      `SELECT * FROM t WHERE auth.user_id() IN t.readers`,
      { id: 'r', readers: '[]' },
      [{ kind: 'no elements', input: { sql: 'readers', value: `'[]'` } }],
    ],
    [
      'a failure, in the words of the evaluator',
      `SELECT * FROM t WHERE auth.user_id() IN t.readers`,
      { id: 'r', readers: 'u1' },
      [{ kind: 'error', message: 'A text that should be JSON is not' }],
    ],
    [
      'the failure of another alternative of the same query',
      `SELECT * FROM t WHERE owner = auth.user_id() OR auth.user_id() IN t.readers`,
      { id: 'r', owner: 'u1', readers: 'no' },
      [{ kind: 'failed query' }, { kind: 'error' }],
    ],
  ])('names %s', (_, sql, row, reasons) => {
    const { placements } = explainRow(stream(sql), row);
    expect(placements.flatMap(({ buckets }) => buckets)).toEqual([]);
    expect(placements.flatMap(({ whyNot }) => whyNot)).toMatchObject(reasons);
  });

  it('shows conditions of edition 4 as they are written', () => {
    const sql = `SELECT * FROM t WHERE a COLLATE NOCASE = 'x' AND b IN ('1', '2') AND n BETWEEN 1 AND 3 AND CAST(n AS TEXT) = 5`;
    const yaml = stream(sql).replace('edition: 3', 'edition: 4');
    const { placements } = explainRow(yaml, { id: 'r', a: 'y', b: '3', n: 9n });
    const texts = placements.flatMap(({ whyNot }) =>
      whyNot.map((reason) => (reason.kind === 'filter' ? reason.condition.sql : reason.kind)),
    );
    expect(texts).toEqual([
      `a COLLATE NOCASE = 'x'`,
      `b IN ('1', '2')`,
      'n BETWEEN 1 AND 3',
      'CAST(n AS text) = 5',
    ]);
  });
});

describe('where a row is', () => {
  it('is told with the values that its buckets are named by', () => {
    const yaml = stream(
      `SELECT * FROM t WHERE org = auth.parameter('org') AND n = auth.parameter('n')`,
    );
    const { placements } = explainRow(yaml, { id: 'r', org: `o'1`, n: 5 });
    expect(placements).toMatchObject([
      {
        definition: 's',
        objectType: 't',
        objectId: 'r',
        buckets: [{ name: expect.stringMatching(/^7#s\|0\[/) as string }],
        whyNot: [],
      },
    ]);
    const keys = placements.flatMap(({ buckets }) => buckets.flatMap((bucket) => bucket.keys));
    expect(keys).toEqual(
      expect.arrayContaining([
        { sql: 'org', value: `'o''1'` },
        { sql: 'n', value: '5' },
      ]),
    );
  });

  it('includes what it lets requests find', () => {
    const yaml = stream(
      'SELECT * FROM t WHERE list IN (SELECT list FROM members WHERE user_id = auth.user_id() AND active = 1)',
    );
    const member = { id: 'm', user_id: 'u1', list: 'l1', active: 1n };
    expect(explainRow(yaml, member, 'members').lookups).toEqual([
      {
        definition: 's',
        lookup: { table: 'members', keys: ['user_id'], outputs: ['list'], filter: 'active = 1' },
        entries: [{ keys: [`'u1'`], outputs: [`'l1'`] }],
        whyNot: [],
      },
    ]);
    const [passive] = explainRow(yaml, { ...member, active: 0n }, 'members').lookups;
    expect(passive).toMatchObject({ entries: [], whyNot: [{ kind: 'filter' }] });
    const [nowhere] = explainRow(yaml, { ...member, list: null }, 'members').lookups;
    expect(nowhere).toMatchObject({
      entries: [],
      whyNot: [{ kind: 'key', key: { sql: 'list', value: 'NULL' } }],
    });
  });
});

describe('why a user does not have a bucket', () => {
  const byMembers = stream(
    'SELECT * FROM t WHERE list IN (SELECT list FROM members WHERE user_id = auth.user_id())',
  );
  const members = (...lists: string[]) => ({
    members: lists.map((list) => ({ id: list, user_id: 'u1', list })),
  });
  const row = { id: 'r', list: 'l1', org: 'acme', n: 1n };

  it.each<[string, string, Asking, object[]]>([
    [
      'a stream that nobody subscribed to',
      byMembers.replace('auto_subscribe: true', 'auto_subscribe: false'),
      {},
      [{ kind: 'absent', absence: 'not subscribed' }],
    ],
    [
      'default streams that are off',
      byMembers,
      { includeDefaults: false },
      [{ kind: 'absent', absence: 'defaults are off' }],
    ],
    [
      'a condition on the request',
      stream(`SELECT * FROM t WHERE auth.parameter('role') = 'admin'`),
      { claims: { role: 'guest' } },
      [
        {
          kind: 'request filter',
          condition: {
            sql: `auth.parameter('role') = 'admin'`,
            reads: [{ sql: `auth.parameter('role')`, value: `'guest'` }],
          },
        },
      ],
    ],
    [
      'a lookup that finds nothing',
      byMembers,
      {},
      [
        {
          kind: 'nothing found',
          part: {
            isEmpty: true,
            steps: [
              {
                kind: 'lookup',
                asked: [{ keys: [{ sql: 'auth.user_id()', value: `'u1'` }], found: [] }],
              },
            ],
          },
        },
      ],
    ],
    [
      'a lookup that finds other values',
      byMembers,
      { rows: members('l2', 'l3') },
      [
        {
          kind: 'other values',
          needed: { sql: 'list', value: `'l1'` },
          found: { sql: 'members.list', values: [`'l2'`, `'l3'`] },
        },
      ],
    ],
    [
      'a claim with another value',
      stream(`SELECT * FROM t WHERE org = auth.parameter('org')`),
      { claims: { org: 'beta' } },
      [
        {
          kind: 'other values',
          needed: { sql: 'org', value: `'acme'` },
          found: { sql: `auth.parameter('org')`, values: [`'beta'`] },
        },
      ],
    ],
    [
      'a claim that is missing',
      stream(`SELECT * FROM t WHERE org = auth.parameter('org')`),
      {},
      [{ kind: 'nothing found', part: { steps: [], keys: [{ sql: `auth.parameter('org')` }] } }],
    ],
    [
      'a parameter of the subscription',
      stream(`SELECT * FROM t WHERE list = subscription.parameter('list')`),
      { subscription: { list: 'l2' }, includeDefaults: false },
      [{ kind: 'other values', reason: { sub: 0 }, found: { values: [`'l2'`] } }],
    ],
    [
      'elements of a claim',
      stream(`SELECT * FROM t WHERE list IN auth.parameter('lists')`),
      { claims: { lists: ['l2', 'l3'] } },
      [{ kind: 'other values', found: { values: [`'l2'`, `'l3'`] } }],
    ],
    [
      'a request that fails',
      stream(`SELECT * FROM t WHERE list IN auth.parameter('lists')`),
      { claims: { lists: 'l1' } },
      [{ kind: 'error', reason: { default: 0 } }],
    ],
    [
      'a request that is refused',
      definition(
        'SELECT * FROM t WHERE list = bucket.p',
        `SELECT value AS p FROM json_each(request.jwt() ->> 'lists')`,
      ),
      { claims: { lists: 'no json' } },
      [{ kind: 'refused', code: 'SYNC_PARAMETER_ERROR' }],
    ],
    [
      'too many results, which refuse the request',
      byMembers,
      { rows: members(...Array.from({ length: 101 }, (_, i) => `m${i}`)) },
      [{ kind: 'refused', code: 'SYNC_TOO_MANY_PARAMETER_RESULTS' }],
    ],
    [
      'values that are found, but not together',
      stream(
        'SELECT t.* FROM t, members m WHERE t.list = m.list AND t.org = m.org AND m.user_id = auth.user_id()',
      ),
      {
        rows: {
          members: [
            { id: '1', user_id: 'u1', list: 'l1', org: 'beta' },
            { id: '2', user_id: 'u1', list: 'l2', org: 'acme' },
          ],
        },
      },
      [{ kind: 'other combinations' }],
    ],
  ])('names %s', async (_, yaml, asking, reasons) => {
    expect(await whyNotVisible(yaml, row, asking)).toMatchObject(reasons);
  });

  it('speaks of bucket definitions in their own words', async () => {
    const yaml = definition(
      'SELECT * FROM t WHERE list = bucket.p',
      `SELECT request.user_id() AS p WHERE request.jwt() ->> 'role' = 'admin' AND token_parameters.org = 'acme'`,
    );
    const reasons = await whyNotVisible(yaml, row, {});
    expect(
      reasons.map((reason) => (reason.kind === 'request filter' ? reason.condition : reason)),
    ).toEqual([
      {
        sql: `request.jwt() ->> 'role' = 'admin'`,
        reads: [{ sql: `request.jwt() ->> 'role'`, value: 'NULL' }],
      },
      {
        sql: `token_parameters.org = 'acme'`,
        reads: [{ sql: 'token_parameters.org', value: 'NULL' }],
      },
    ]);
  });

  it('follows several lookups to the one where the way ends', async () => {
    const yaml = stream(
      'SELECT * FROM t WHERE list IN (SELECT id FROM lists WHERE org IN (SELECT org FROM members WHERE user_id = auth.user_id()))',
    );
    const rows = { members: [{ id: 'm', user_id: 'u1', org: 'beta' }], lists: [] };
    const [reason] = await whyNotVisible(yaml, row, { rows });
    expect(reason).toMatchObject({
      kind: 'nothing found',
      part: {
        steps: [
          { lookup: { table: 'members' }, asked: [{ found: [[`'beta'`]] }] },
          {
            lookup: { table: 'lists' },
            asked: [{ keys: [{ sql: 'members.org', value: `'beta'` }], found: [] }],
          },
        ],
      },
    });
  });
});

describe('what a user has', () => {
  it('is listed with the way to it', async () => {
    const yaml = stream(
      'SELECT * FROM t WHERE list IN (SELECT list FROM members WHERE user_id = auth.user_id())',
    );
    const rows = { members: [{ id: 'm', user_id: 'u1', list: 'l1' }] };
    const request = await explainRequest(yaml, { rows });
    const visibility = explainVisibility(explainRow(yaml, { id: 'r', list: 'l1' }), request);
    expect(visibility).toMatchObject({
      isVisible: true,
      buckets: [{ name: '7#s|0["l1"]', subscriptions: [{ default: 0 }], whyNot: [] }],
    });
    expect(request.definitions).toMatchObject([
      { participations: [{ resolutions: [{ buckets: ['7#s|0["l1"]'] }] }] },
    ]);
  });
});
