import { isDeepStrictEqual } from 'node:util';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import type { RequestContext, SyncPlan } from '../contract.ts';
import { compile, definition, evaluate, prefixesOf, stream, type Row } from '../testing/check.ts';
import { explainVisibility } from './explain-visibility.ts';
import { lookupIn, schemaOf, type Rows } from '../testing/explain-check.ts';

// What is explained is what happens: random configs, rows and requests, some of which fail.

const CLAIMS = { sub: 'u1', ids: ['l1', 'l3'], role: 'admin', level: 2, odd: 'x' };

const STREAM_CONDITIONS = [
  `items.owner = auth.user_id()`,
  `items.list_id IN auth.parameter('ids')`,
  `items.level > 1`,
  `NOT items.owner = 'u2'`,
  `items.owner IS NULL`,
  `items.level = auth.parameter('level')`,
  `items.level = connection.parameter('level')`,
  `auth.parameter('role') = 'admin'`,
  `subscription.parameter('role') = 'admin'`,
  `items.list_id = subscription.parameter('list')`,
  `auth.user_id() IN items.readers`,
  `items.readers ->> 0 = 'u2'`,
  `items.list_id IN (SELECT id FROM lists WHERE owner = auth.user_id())`,
  `items.list_id IN (SELECT l.id FROM lists l JOIN members m ON m.org = l.org WHERE m.user_id = auth.user_id() AND m.level > 0)`,
  `items.list_id IN (SELECT id FROM lists WHERE org IN (SELECT org FROM members WHERE user_id = auth.user_id()) OR owner = auth.user_id())`,
  `auth.user_id() IN (SELECT user_id FROM members WHERE level = 1)`,
  `items.level IN (SELECT level FROM members)`,
  // Not an array, so the request fails.
  `items.list_id IN auth.parameter('odd')`,
];

const PARAMETER_QUERIES = [
  '',
  `SELECT request.user_id() AS p`,
  `SELECT value AS p FROM json_each(request.jwt() -> 'ids')`,
  // Not JSON, so the request is refused.
  `SELECT value AS p FROM json_each(request.jwt() ->> 'odd')`,
  `SELECT org AS p FROM members WHERE user_id = request.user_id()`,
  `SELECT org AS p FROM members WHERE user_id = request.user_id() AND level > 0`,
  `SELECT id AS p FROM lists WHERE id IN request.jwt() -> 'ids'`,
  `SELECT id AS p FROM lists WHERE owner = token_parameters.user_id AND request.parameter('level') = 2`,
  `SELECT request.user_id() AS p WHERE request.jwt() ->> 'role' = 'guest'`,
];

describe('an explanation', () => {
  it('agrees with what the service does, and has a reason wherever a row or bucket is missing', async () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    const seen = {
      placed: 0,
      left: 0,
      visible: 0,
      hidden: 0,
      refused: 0,
      kinds: new Set<string>(),
    };
    for (let round = 0; round < 150; round++) {
      const yaml = randomConfig(random);
      const { plan } = compile(yaml);
      if (plan === undefined) continue;
      const rows = randomRows(random);
      const request = randomRequest(random);
      const at = { seed, round, yaml };
      checkRows(plan, rows, at, seen);
      await checkRequest(plan, rows, request, at, seen);
    }
    // Otherwise the above would say nothing.
    for (const count of [seen.placed, seen.left, seen.visible, seen.hidden, seen.refused]) {
      expect(count).toBeGreaterThan(2);
    }
    expect([...seen.kinds].toSorted()).toEqual([
      'absent', 'error', 'failed query', 'filter', 'key', 'no elements', 'nothing found', 'other values', 'refused',
      'request filter',
    ]); // prettier-ignore
  });
});

interface Seen {
  placed: number;
  left: number;
  visible: number;
  hidden: number;
  refused: number;
  readonly kinds: Set<string>;
}

function checkRows(plan: SyncPlan, rows: Rows, at: object, seen: Seen): void {
  for (const [table, list] of Object.entries(rows)) {
    for (const row of list) {
      const { placements, lookups } = explainRow(plan, table, row);
      const evaluated = evaluate(plan, table, row);
      same(
        sortedNames(placements.flatMap(({ buckets }) => buckets)),
        sortedNames(evaluated.outputs.flatMap(({ buckets }) => buckets.map((name) => ({ name })))),
        { ...at, row },
      );
      const entries = lookups.flatMap((lookup) => lookup.entries);
      same(entries.length, evaluated.lookups.length, { ...at, row });
      const reasons = [...placements, ...lookups].flatMap((entry) => {
        const has = 'buckets' in entry ? entry.buckets.length > 0 : entry.entries.length > 0;
        same(entry.whyNot.length > 0, !has, { ...at, row, entry });
        if (has) seen.placed++;
        else seen.left++;
        return entry.whyNot.map(({ kind }) => kind);
      });
      for (const kind of reasons) seen.kinds.add(kind);
      same(reasons.includes('error'), evaluated.errors.length > 0, { ...at, row });
    }
  }
}

async function checkRequest(
  plan: SyncPlan,
  rows: Rows,
  request: RequestContext,
  at: object,
  seen: Seen,
): Promise<void> {
  const prefixes = prefixesOf(plan);
  const lookup = lookupIn(plan, rows);
  const explained = await plan.explainRequest(request, prefixes, { lookup, maxResults: 1000 });
  const resolved = await plan
    .resolver(request, prefixes)
    .resolve(lookup, 1000)
    .catch(() => undefined);
  same(explained.resolved, resolved, { ...at, request });
  if (resolved === undefined) seen.refused++;
  const had = new Set(resolved?.buckets.map(({ name }) => name));
  for (const [table, list] of Object.entries(rows)) {
    for (const row of list) {
      const visibility = explainVisibility(explainRow(plan, table, row), explained);
      for (const bucket of visibility.buckets) {
        const has = had.has(bucket.name);
        same(bucket.subscriptions.length > 0, has, { ...at, request, row, bucket });
        same(bucket.whyNot.length > 0, !has, { ...at, request, row, bucket });
        for (const { kind } of bucket.whyNot) seen.kinds.add(kind);
        if (has) seen.visible++;
        else seen.hidden++;
      }
      const isVisible = visibility.buckets.some(({ name }) => had.has(name));
      same(visibility.isVisible, isVisible, { ...at, request, row });
    }
  }
  JSON.stringify(explained); // plain values, as tools get them
}

/** As `expect(a).toEqual(b)`, which shows the case; cheap where it holds. */
function same(actual: unknown, expected: unknown, at: object): void {
  if (!isDeepStrictEqual(actual, expected))
    expect({ ...at, actual }).toEqual({ ...at, actual: expected });
}

function explainRow(plan: SyncPlan, table: string, row: Row) {
  return plan.explainRow(schemaOf(table, row), Object.values(row), prefixesOf(plan));
}

function sortedNames(buckets: readonly { readonly name: string }[]): string[] {
  return [...new Set(buckets.map(({ name }) => name))].toSorted();
}

function randomConfig(random: SeededRandom): string {
  const condition = randomCondition(random, 2);
  if (random.int(2) === 0) {
    const yaml = stream(`SELECT items.* FROM items WHERE ${condition}`).replace(
      'edition: 3',
      random.pick(['edition: 3', 'edition: 4']),
    );
    return random.int(4) > 0 ? yaml : yaml.replace('auto_subscribe: true', 'auto_subscribe: false');
  }
  const parameters = random.pick(PARAMETER_QUERIES);
  const filter = random.pick([
    `level > 1`,
    `readers ->> 0 = 'u2'`,
    `owner IS NOT NULL`,
    `level = 'x' OR level < 2`,
  ]);
  const key = random.pick([`list_id = bucket.p`, `owner = bucket.p`, `bucket.p IN readers`]);
  const where = parameters === '' ? filter : `${key} AND (${filter})`;
  return definition(`SELECT * FROM items WHERE ${where}`, parameters || undefined);
}

function randomCondition(random: SeededRandom, depth: number): string {
  if (depth === 0 || random.int(4) === 0) return random.pick(STREAM_CONDITIONS);
  const [a, b] = [randomCondition(random, depth - 1), randomCondition(random, depth - 1)];
  return `(${a} ${random.pick(['AND', 'OR'])} ${b})`;
}

function randomRows(random: SeededRandom): Rows {
  const level = () => random.pick([0n, 1n, 2n, 2, 3n, null]);
  const list = (length: number, build: (i: number) => Row) =>
    Array.from({ length }, (_, i) => build(i));
  return {
    items: list(8, (i) => ({
      id: `i${i}`,
      list_id: random.pick(['l1', 'l2', 'l3', null]),
      owner: random.pick(['u1', 'u2', null]),
      level: level(),
      readers: random.pick(['["u1"]', '["u2","u1"]', '[]', 'no json', null]),
    })),
    lists: list(3, (i) => ({
      id: `l${i + 1}`,
      owner: random.pick(['u1', 'u2', null]),
      org: random.pick(['a', 'b', null]),
    })),
    members: list(3, (i) => ({
      id: `m${i}`,
      user_id: random.pick(['u1', 'u2', null]),
      org: random.pick(['a', 'b', 'l1', null]),
      level: level(),
    })),
  };
}

function randomRequest(random: SeededRandom): RequestContext {
  const parameters = random.pick([{}, { level: 2 }]);
  const subscription = random.pick([null, { role: 'admin' }, { role: 'admin', list: 'l1' }]);
  return {
    claims: CLAIMS,
    parameters,
    includeDefaults: random.int(4) > 0,
    subscriptions:
      random.int(2) === 0
        ? []
        : [{ stream: 's', parameters: subscription, overridePriority: null }],
  };
}
